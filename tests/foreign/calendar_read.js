// Reads iCalendar files with ical.js and prints, as JSON, what it understood of each.
'use strict';

const fs = require('node:fs');

const library = require('ical.js');
const ICAL = library.default ?? library;

/** One calendar: its method and events. Instants are whole seconds since 1970, by the zone that the file brings. */
function read(file) {
  const calendar = new ICAL.Component(ICAL.parse(fs.readFileSync(file, 'utf8')));
  const zones = new Map();
  for (const zone of calendar.getAllSubcomponents('vtimezone')) {
    const timezone = new ICAL.Timezone(zone);
    zones.set(timezone.tzid, timezone);
  }
  const instant = (property) => {
    const time = property.getFirstValue().clone();
    const zone = zones.get(property.getParameter('tzid'));
    if (!zone) throw new Error(`${file}: ${property.name} is in no zone of the file`);
    time.zone = zone;
    return time.toUnixTime();
  };
  const events = calendar.getAllSubcomponents('vevent').map((event) => ({
    uid: event.getFirstPropertyValue('uid'),
    starts: instant(event.getFirstProperty('dtstart')),
    ends: instant(event.getFirstProperty('dtend')),
    stamp: event.getFirstPropertyValue('dtstamp').toUnixTime(),
    sequence: event.getFirstPropertyValue('sequence'),
    status: event.getFirstPropertyValue('status'),
    summary: event.getFirstPropertyValue('summary'),
    location: event.getFirstPropertyValue('location'),
    alarms: event.getAllSubcomponents('valarm').map((alarm) => alarm.getFirstPropertyValue('trigger').toSeconds()),
  }));
  return { method: calendar.getFirstPropertyValue('method'), events };
}

console.log(JSON.stringify(process.argv.slice(2).map(read)));
