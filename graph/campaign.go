package graph

import (
	"regulars/care"
	"regulars/care/template"
	"regulars/graph/generated"
)

// campaignPayload answers what saves a campaign.
func campaignPayload(campaign *care.Campaign, err error) (*generated.CareCampaignPayload, error) {
	problems, err := refused(err)
	return &generated.CareCampaignPayload{Campaign: campaign, UserErrors: problems}, err
}

// templatePreview answers previewCareTemplate.
func templatePreview(filled *template.Filled, err error) (*generated.PreviewCareTemplatePayload, error) {
	problems, err := refused(err)
	if filled == nil {
		return &generated.PreviewCareTemplatePayload{UserErrors: problems}, err
	}
	return &generated.PreviewCareTemplatePayload{Subject: filled.Subject, Body: &filled.Body, HTML: &filled.HTML, UserErrors: problems}, err
}
