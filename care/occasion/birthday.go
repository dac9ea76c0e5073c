package occasion

import "regulars/internal/value"

// BirthdayIn returns the birthday in a year of who was born on a day. Who was born on 29 February has it on 28 February in years
// without that day, or on 1 March if onMarch1. The day of birth itself is no birthday, and there is none before it.
func BirthdayIn(born value.Date, year int, onMarch1 bool) (birthday value.Date, exists bool) {
	return born.InYear(year, onMarch1), year > born.Year
}

// AnniversaryIn returns the day in a year on which who joined on a day has been a member for whole years, and for how many: less
// than 1 says that there is no anniversary in that year. It treats 29 February as BirthdayIn does.
func AnniversaryIn(joined value.Date, year int, onMarch1 bool) (anniversary value.Date, years int) {
	return joined.InYear(year, onMarch1), year - joined.Year
}
