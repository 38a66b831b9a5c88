// British English like the rest of the console, and months in letters, so that nobody takes a day for a month.

const LOCALE = 'en-GB'
const DAY: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', year: 'numeric' }
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }

/** 27 Nov 2026 */
export const dayOf = (time: string) => new Date(time).toLocaleDateString(LOCALE, DAY)
/** 23 November 2016, of a date without a time. */
export const dateOf = (date: string) =>
  new Date(`${date}T00:00:00Z`).toLocaleDateString(LOCALE, { ...DAY, month: 'long', timeZone: 'UTC' })
/** 27 Nov 2026, 09:15:02 */
export const timeOf = (time: string) =>
  new Date(time).toLocaleString(LOCALE, { ...DAY, ...CLOCK, second: '2-digit' })
/** 09:15 */
export const clockOf = (time: string | number | undefined) =>
  time === undefined ? '' : new Date(time).toLocaleTimeString(LOCALE, CLOCK)
