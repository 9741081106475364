const two = (value: number): string => String(value).padStart(2, '0');

/** The local time of day, `14:03:22`, or with milliseconds, `14:03:22.045`. What is no time is shown as it is. */
export function timeOfDay(at: string | number | Date, hasMilliseconds = false): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const seconds = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return hasMilliseconds ? `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}` : seconds;
}

/** With the date, unless that is today: `11-23 14:03`. */
export function momentOf(at: string | number | Date, now = Date.now()): string {
  const date = new Date(at);
  if (date.toDateString() === new Date(now).toDateString()) return timeOfDay(date);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** In the words for a day, an hour, a minute and a second: `3 d 4 h`, `4 h 5 min`, `5 min 6 s`, `6 s`. */
export function durationText(seconds: number, [d, h, min, s]: readonly [string, string, string, string]): string {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days} ${d} ${hours} ${h}`;
  if (hours > 0) return `${hours} ${h} ${minutes} ${min}`;
  if (minutes > 0) return `${minutes} ${min} ${whole % 60} ${s}`;
  return `${whole} ${s}`;
}

/** `250 µs`, `10 ms`, `2 s`. */
export function secondsText(seconds: number): string {
  if (seconds >= 1) return `${+seconds.toPrecision(3)} s`;
  if (seconds >= 0.001) return `${+(seconds * 1e3).toPrecision(3)} ms`;
  return `${+(seconds * 1e6).toPrecision(3)} µs`;
}
