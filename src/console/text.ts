// Texts that several pages show.

/** Written from right to left, or turning the direction of the text around it. */
const TURNS =
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

/** Somebody's text inside a sentence, whose other words keep their direction. Most texts stay as they are. */
export const isolated = (text: string) =>
  // An isolate of its own could end this one early.
  TURNS.test(text) ? `\u2068${text.replace(/[\u2066-\u2069]/g, '')}\u2069` : text

/** The runtime of a movie as the pages show it: 107 min */
export const minutes = (runtime: string) => runtime.replace('mins', 'min')

/** 1 movie; 2,074 movies */
export const countOf = (n: number) => `${n.toLocaleString('en')} ${n === 1 ? 'movie' : 'movies'}`
