import { OperatorError, UsageError } from '../errors'
import { didYouMean, quoted } from '../rules/suggest'
import type { Format, RawRow, Use } from './formats/format'
import { type MovieField, movieFields } from './row'

export type Mapping = ReadonlyMap<string, MovieField>

/** Column → field of --map. */
export function mappingOf(map: ReadonlyMap<string, string>): Mapping {
  const mapping = new Map<string, MovieField>()
  for (const [column, name] of map) {
    const field = fieldNamed(name)
    if (field === undefined)
      throw new UsageError(
        `--map ${column}=${name}: ${quoted(name)} is not a field${didYouMean(name, movieFields)}; fields are ${movieFields.join(', ')}`,
      )
    const other = [...mapping].find(([, taken]) => taken === field)
    if (other !== undefined)
      throw new UsageError(`--map names two columns for ${field}: ${both(other[0], column)}`)
    mapping.set(column, field)
  }
  return mapping
}

const both = (one: string, other: string) => `${quoted(one)} and ${quoted(other)}`

function fieldNamed(name: string): MovieField | undefined {
  const bare = name.trim().toLowerCase().replaceAll(' ', '_')
  return movieFields.find((field) => field === bare)
}

export const mappedTwice = (column: string, one: string, other: string) =>
  new UsageError(`--map names the column ${quoted(column)} twice, for ${one} and ${other}: choose one`)

/** The mapping with the names as they are spelt in this file. */
export function spelt(mapping: Mapping, names: readonly string[]): Mapping {
  const inFile = new Map<string, MovieField>()
  for (const [column, field] of mapping) {
    const name = names.find((each) => each === column) ?? names.find((each) => isSame(each, column))
    if (name === undefined) throw noColumn(column, names)
    const other = inFile.get(name)
    if (other !== undefined) throw mappedTwice(name, other, field)
    inFile.set(name, field)
  }
  return inFile
}

function noColumn(column: string, names: readonly string[]): UsageError {
  const meant = didYouMean(column, names)
  return new UsageError(
    `--map: there is no column ${quoted(column)}${meant}${meant === '' ? '; there' : ' There'} are ${listed(names)}`,
  )
}

export const isSame = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase()

const MAX_LISTED = 30
/** Names of columns for a message. */
export function listed(names: readonly string[]): string {
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : ''
  return (names.slice(0, MAX_LISTED).map(quoted).join(', ') || 'none') + more
}

export type UseOf = (name: string) => Use | 'ignored' | undefined

/** What a column is used for. --map wins over a column's own name. */
export function usesOf(format: Format, mapping: Mapping): UseOf {
  const mapped = new Set<unknown>(mapping.values())
  const known = new Map(Object.entries(format.columns))
  return (name) => {
    const given = mapping.get(name)
    const own = known.get(name.trim().toLowerCase()) ?? fieldNamed(name)
    if (given !== undefined)
      return typeof own === 'function' ? (value) => ({ ...own(value), [given]: value }) : given
    if (own !== undefined) return mapped.has(own) ? undefined : own
    return format.ignored?.includes(name) ? 'ignored' : undefined
  }
}

/** Refuses names that are used for the same field. */
export function refuseConflict(file: string, names: readonly string[], useOf: UseOf): void {
  const taken = new Map<Use, string>()
  for (const name of names) {
    const use = useOf(name)
    if (use === undefined || use === 'ignored' || use === 'kind' || typeof use === 'function') continue
    const other = taken.get(use)
    if (other !== undefined) {
      // --map couldn't tell columns of one name apart.
      const fix = other === name ? 'rename one of them' : `choose one, such as --map ${quoted(name)}=${use}`
      throw new OperatorError(`${file} has two columns for ${use}, ${both(other, name)}: ${fix}`)
    }
    taken.set(use, name)
  }
}

export const noTitle = (file: string, names: readonly string[]) =>
  new OperatorError(
    `nothing in ${file} is the title: name its column, such as --map ${quoted(names[0] ?? 'name')}=title; columns are ${listed(names)}`,
  )

export const givesTitle = (use: Use | 'ignored' | undefined) => use === 'title' || typeof use === 'function'

/** Adds a value to a row. A column for one field wins over a column for several. */
export function put(row: RawRow, use: Use, value: unknown): void {
  if (typeof use === 'function') Object.assign(row, { ...use(value), ...row })
  else row[use] = value
}
