import { UsageError } from '../errors'
import { isCalendarDate } from '../rules/fields'
import { quoted } from '../rules/suggest'

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const FULL = /^(?:january|february|march|april|may|june|july|august|september|october|november|december)$/i

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?$/i
const YEAR_ALONE = /^(\d{4})(?:-(?:0[1-9]|1[0-2]))?$/
const MONTH_FIRST = /^([A-Za-z]+)\.? (\d{1,2}),? (\d{4})$/
const DAY_FIRST = /^(\d{1,2}) ([A-Za-z]+)\.?,? (\d{4})$/
const MONTH_AND_YEAR = /^([A-Za-z]+)\.?,? (\d{4})$/

/** A date, or the year alone where no more is known; undefined for what would have to be guessed. */
export type ReadDate = { readonly date: string } | { readonly year: number } | undefined
export type DateFormat = (text: string) => ReadDate

export function readDate(text: string, format?: DateFormat): ReadDate {
  const [, iso] = ISO.exec(text) ?? []
  if (iso !== undefined) return calendarDate(iso)
  const [, year] = YEAR_ALONE.exec(text) ?? []
  if (year !== undefined) return { year: Number(year) }
  return named(text) ?? format?.(text)
}

const calendarDate = (date: string): ReadDate => (isCalendarDate(date) ? { date } : undefined)
const dateOf = (year: string | number, month: string | number, day: string) =>
  calendarDate(`${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`)

function named(text: string): ReadDate {
  const [, month, day = '', year = ''] = MONTH_FIRST.exec(text) ?? swapped(DAY_FIRST.exec(text)) ?? []
  if (month !== undefined) return dateOf(year, monthNamed(month), day)
  const [, word = '', ofYear = ''] = MONTH_AND_YEAR.exec(text) ?? []
  if (monthNamed(word) > 0) return { year: Number(ofYear) }
}

const swapped = (found: RegExpExecArray | null) =>
  found === null ? undefined : [found[0], found[2], found[1], found[3]]

/** 1 to 12, or 0 for another word. */
function monthNamed(word: string): number {
  const isWhole = word.length === 3 || /^sept$/i.test(word) || FULL.test(word)
  return isWhole ? MONTHS.indexOf(word.slice(0, 3).toLowerCase()) + 1 : 0
}

const FORMAT = /^(d|m|yy|y)([./-])(d|m|yy|y)\2(d|m|yy|y)$/
const YEARS_AHEAD = 5

/** The order of `--date-format`: `d.m.y`, `m/d/y`; with `yy`, years have two digits. */
export function dateFormatNamed(name: string): DateFormat {
  const [, first = '', separator = '', second = '', third = ''] =
    FORMAT.exec(name.toLowerCase().replace('yyyy', 'y').replace('dd', 'd').replace('mm', 'm')) ?? []
  const order = [first, second, third].map((part) => part.slice(0, 1))
  if (new Set(order).size < 3)
    throw new UsageError(
      `--date-format ${quoted(name)} is not d, m and y (or yy, for two digits) in some order, such as d.m.y or m/d/yy`,
    )
  const digits = [first, second, third].map((part) =>
    part === 'y' ? '(\\d{4})' : part === 'yy' ? '(\\d\\d)' : '(\\d{1,2})',
  )
  const pattern = new RegExp(`^${digits.join(`\\${separator}`)}$`)
  return (text) => {
    const found = pattern.exec(text)
    const part = (letter: string) => found?.[order.indexOf(letter) + 1] ?? ''
    return found === null ? undefined : dateOf(fullYear(part('y')), part('m'), part('d'))
  }
}

/** The nearest year with these two digits, up to five years ahead. */
function fullYear(digits: string, now = new Date().getUTCFullYear()): string | number {
  if (digits.length !== 2) return digits
  const last = now + YEARS_AHEAD
  const year = last - (last % 100) + Number(digits)
  return year > last ? year - 100 : year
}
