package occasion

import "time"

// westernEaster is Easter Sunday of the Gregorian calendar: the algorithm of Meeus, Jones and Butcher (J. Meeus, Astronomical
// Algorithms, 1991, chapter 8), which holds for every year of that calendar.
func westernEaster(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (b - (b+8)/25 + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month, day := (h+l-7*m+114)/31, (h+l-7*m+114)%31+1
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// orthodoxEaster is Easter Sunday of the Julian calendar, as a day of the Gregorian one (Meeus, in the same chapter).
func orthodoxEaster(year int) time.Time {
	a, b, c := year%4, year%7, year%19
	d := (19*c + 15) % 30
	e := (2*a + 4*b - d + 34) % 7
	month, day := (d+e+114)/31, (d+e+114)%31+1
	behind := year/100 - year/400 - 2
	return time.Date(year, time.Month(month), day+behind, 0, 0, 0, 0, time.UTC)
}
