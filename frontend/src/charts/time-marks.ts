/** What stands under a time axis: in UTC, and written as dates are everywhere else. Pure. */

const DAY = 86_400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * One text per mark, given in seconds: years, months, days or times of day, by how close the marks are.
 * The first mark, and each in another year (or on another day) than the one before, says which on a second line.
 */
export function timeMarks(marks: readonly number[]): string[] {
  const step = (marks[1] ?? Infinity) - (marks[0] ?? 0);
  const times = marks.map((seconds) => new Date(seconds * 1000).toISOString());
  if (step >= 360 * DAY) return times.map((time) => time.slice(0, 4));
  if (step >= 28 * DAY) return withChanges(times, (time) => MONTHS[Number(time.slice(5, 7)) - 1]!, (time) => time.slice(0, 4));
  if (step >= DAY) return withChanges(times, (time) => time.slice(5, 10), (time) => time.slice(0, 4));
  return withChanges(times, (time) => time.slice(11, 16), (time) => time.slice(5, 10));
}

function withChanges(times: readonly string[], write: (time: string) => string, group: (time: string) => string): string[] {
  return times.map((time, at) => {
    const before = times[at - 1];
    return before !== undefined && group(before) === group(time) ? write(time) : `${write(time)}\n${group(time)}`;
  });
}
