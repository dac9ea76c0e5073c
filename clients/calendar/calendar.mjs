// Reads a calendar from its input as calendars of others do, by ical.js, and writes what they show up to the instant that its
// argument names: a JSON array of the dates, in the order of their starts. Zones are read from the calendar alone.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const until = new Date(process.argv[2]);
const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) {
  ICAL.TimezoneService.register(zone);
}

const shown = [];
function show(item, start, end) {
  const instant = (time) => time.toJSDate().toISOString().replace(".000", "");
  shown.push({
    uid: item.uid,
    startsAt: instant(start),
    endsAt: instant(end),
    venue: item.location ?? "",
    summary: item.summary,
    canceled: item.component.getFirstPropertyValue("status") === "CANCELLED",
    sequence: item.sequence,
  });
}

const components = calendar.getAllSubcomponents("vevent");
const events = components.filter((one) => !one.hasProperty("recurrence-id")).map((one) => new ICAL.Event(one));
for (const one of components.filter((one) => one.hasProperty("recurrence-id"))) {
  const exception = new ICAL.Event(one);
  const series = events.find((event) => event.uid === exception.uid);
  if (!series) {
    throw new Error(`${exception.uid} is a date of no series`);
  }
  series.relateException(exception);
}
for (const event of events) {
  if (!event.isRecurring()) {
    show(event, event.startDate, event.endDate);
    continue;
  }
  const dates = event.iterator();
  for (let next = dates.next(); next && next.toJSDate() <= until; next = dates.next()) {
    const { item, startDate, endDate } = event.getOccurrenceDetails(next);
    show(item, startDate, endDate);
  }
}
shown.sort((a, b) => (a.startsAt < b.startsAt ? -1 : a.startsAt > b.startsAt ? 1 : a.uid < b.uid ? -1 : 1));
console.log(JSON.stringify(shown));
