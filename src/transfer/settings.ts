import { type Mapping, mappingOf } from './columns'
import { dateFormatNamed } from './dates'
import { type Encoding, encodingNamed } from './decode'
import type { Format } from './formats/format'
import { formatNamed } from './formats/list'
import type { ReadOptions } from './row'
import type { ValueOptions } from './values'

/** The options of a command, understood. */
export type Settings = {
  readonly format?: Format
  readonly mapping: Mapping
  readonly values: ValueOptions
  readonly encoding: Encoding
  readonly isEncodingGiven: boolean
}

/** Throws a UsageError if an option has a value that doesn't exist. */
export function settingsOf({ format, map, encoding, dateFormat, ...rest }: ReadOptions): Settings {
  return {
    format: format === undefined ? undefined : formatNamed(format),
    mapping: mappingOf(map),
    values: { ...rest, dateFormat: dateFormat === undefined ? undefined : dateFormatNamed(dateFormat) },
    encoding: encoding === undefined ? 'utf-8' : encodingNamed(encoding),
    isEncodingGiven: encoding !== undefined,
  }
}
