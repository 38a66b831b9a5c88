import { type MovieField, movieFields, type Row, type RowProblem } from './row'

/** Columns of "redlight export --format csv". */
export const exportColumns = ['id', ...movieFields, 'created_by', 'version']

export const isOwnHeader = (names: readonly string[]) =>
  names.length === exportColumns.length && names.every((name, index) => name === exportColumns[index])

export const isOwnObject = (object: Readonly<Record<string, unknown>>) =>
  Object.hasOwn(object, 'id') && Object.hasOwn(object, 'version')

type Read = Pick<Row, 'fields' | 'problems' | 'exported'>

/** An object that the API wrote: every field as it is. */
export function ownObject(object: Readonly<Record<string, unknown>>): Read {
  const fields: Partial<Record<MovieField, unknown>> = {}
  for (const field of movieFields)
    if (object[field] !== undefined && object[field] !== null) fields[field] = object[field]
  return { fields, problems: [], exported: { id: Number(object.id), version: Number(object.version) } }
}

/** A row of our own CSV: numbers, and lists as JSON; an empty cell is a field that isn't set. */
export function ownCells(cells: readonly string[]): Read {
  const fields: Partial<Record<MovieField, unknown>> = {}
  const problems: RowProblem[] = []
  for (const [index, field] of movieFields.entries()) {
    const cell = cells[index + 1] ?? ''
    if (cell === '') continue
    const value = cellValue(field, cell)
    if (value === undefined)
      problems.push({ field, code: 'type', message: 'must be a list in JSON, such as ["one", "two"]' })
    else fields[field] = value
  }
  return { fields, problems, exported: { id: Number(cells[0]), version: Number(cells.at(-1)) } }
}

function cellValue(field: MovieField, cell: string): unknown {
  if (field === 'year') return /^\d+$/.test(cell) ? Number(cell) : cell
  if (field !== 'genres' && field !== 'cast') return cell
  try {
    return JSON.parse(cell)
  } catch {
    return undefined
  }
}
