package web

import (
	"golang.org/x/text/language"

	"regulars/care"
	"regulars/internal/program"
)

// preferenceText is what the pages about messages say, in one language.
type preferenceText struct {
	Language string
	// Title has the program's name.
	Title          string
	Needed         string
	Save           string
	Saved          string
	UnsubscribeAll string
	// Question and Unsubscribed name the class and the channel.
	Question        string
	Unsubscribed    string
	Unsubscribe     string
	AlwaysSent      string
	OpenPreferences string
	Missing         string
	MissingHint     string
	Limited         string
	Unreadable      string
	Fault           string
	Classes         map[care.Class]string
	Hints           map[care.Class]string
	Channels        map[care.Channel]string
}

// preferenceLanguages are those of preferenceTexts, in their order; the first one is for whoever reads none of them.
var preferenceLanguages = language.NewMatcher([]language.Tag{language.English, language.SimplifiedChinese})

var preferenceTexts = []*preferenceText{
	{
		Language:        "en",
		Title:           "Messages from %s",
		Needed:          "Choose what you want to hear from us. Messages that your membership needs are always sent.",
		Save:            "Save",
		Saved:           "Saved.",
		UnsubscribeAll:  "Unsubscribe from all",
		Question:        "Do you want no more messages of this kind: %s, by %s?",
		Unsubscribed:    "Done. You get no more messages of this kind: %s, by %s.",
		Unsubscribe:     "Unsubscribe",
		AlwaysSent:      "Your membership needs messages of this kind, so they are always sent.",
		OpenPreferences: "Choose what you want to hear from us",
		Missing:         "This link does not work any more",
		MissingHint:     "Open the link in a newer message, or change what you receive in our app.",
		Limited:         "Too many requests. Please try again in a moment.",
		Unreadable:      "The form could not be read.",
		Fault:           "Something went wrong on our side. Please try again later.",
		Classes:         map[care.Class]string{program.Care: "greetings and thanks", program.Marketing: "offers", program.Community: "club news"},
		Hints: map[care.Class]string{
			program.Care: "On your birthday, for example.", program.Marketing: "What is on sale, and what we recommend.",
			program.Community: "Events, and what goes on in the club.",
		},
		Channels: map[care.Channel]string{program.Email: "e-mail", program.Webhook: "text message or push notification", program.Inbox: "the inbox of our app"},
	},
	{
		Language:        "zh-Hans",
		Title:           "%s 的消息",
		Needed:          "请选择您希望收到的消息。会员所必需的消息始终会发送。",
		Save:            "保存",
		Saved:           "已保存。",
		UnsubscribeAll:  "全部退订",
		Question:        "确定不再接收此类消息吗：%s（%s）？",
		Unsubscribed:    "已退订。您将不再收到此类消息：%s（%s）。",
		Unsubscribe:     "退订",
		AlwaysSent:      "此类消息为会员所必需，始终会发送。",
		OpenPreferences: "选择您希望收到的消息",
		Missing:         "此链接已失效",
		MissingHint:     "请打开较新消息中的链接，或在我们的应用中更改设置。",
		Limited:         "请求过多，请稍后再试。",
		Unreadable:      "无法读取表单。",
		Fault:           "我们这边出了点问题，请稍后再试。",
		Classes:         map[care.Class]string{program.Care: "祝福与感谢", program.Marketing: "优惠活动", program.Community: "俱乐部动态"},
		Hints: map[care.Class]string{
			program.Care: "例如在您生日当天。", program.Marketing: "促销信息与我们的推荐。", program.Community: "活动以及俱乐部的最新消息。",
		},
		Channels: map[care.Channel]string{program.Email: "电子邮件", program.Webhook: "短信或推送通知", program.Inbox: "应用内收件箱"},
	},
}

// preferenceTextFor returns the texts in the language that fits best what somebody reads: tags of BCP 47 or a header that lists them.
func preferenceTextFor(reads string) *preferenceText {
	_, best := language.MatchStrings(preferenceLanguages, reads)
	return preferenceTexts[best]
}
