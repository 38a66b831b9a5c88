import type { Bytes } from './bytes'
import { givesTitle, isSame, noTitle, refuseConflict, spelt, type UseOf, usesOf } from './columns'
import { decoderOf } from './decode'
import type { Format } from './formats/format'
import { json, ndjson } from './formats/json'
import { recognised } from './formats/list'
import {
  createJsonElements,
  createJsonLines,
  type ItemReader,
  type JsonItem,
  type JsonObject,
} from './json-items'
import { layoutIn } from './json-layout'
import { jsonRowReader, movieIn } from './json-rows'
import { isOwnObject } from './own-export'
import type { Row, Source } from './row'
import type { Settings } from './settings'

const LF = 10

/** A file of JSON objects: one a line, in a list, in the list of an object, or one after the other. */
export async function openJson(bytes: Bytes, settings: Settings): Promise<Source> {
  const isTitle = (key: string) => [...titleKeys(settings)].some((title) => isSame(title, key))
  const { head, isAll } = await bytes.peek((start) => layoutIn(start, false, isTitle) !== undefined)
  const { layout, offset } = layoutIn(head, isAll, isTitle) ?? { layout: 'lines', offset: 0 }
  const decode = decoderOf(settings.encoding)
  const line = 1 + head.subarray(0, offset).filter((code) => code === LF).length
  const isLines = layout === 'lines'
  const reader = isLines ? createJsonLines(decode, line) : createJsonElements(decode, layout, line)
  const batches = batchesOf(bytes, reader, offset)
  const ahead = await readAhead(batches, settings)
  const { names, format } = ahead
  const mapping = ahead.first === undefined ? settings.mapping : spelt(settings.mapping, names)
  const useOf = remembered(usesOf(format, mapping))
  const isOwn = isGeneral(format) && mapping.size === 0
  if (ahead.first !== undefined && !(isOwn && isOwnObject(ahead.first))) {
    refuseConflict(bytes.name, Object.keys(ahead.first), useOf)
    if (!hasTitle(names, useOf)) throw noTitle(bytes.name, names)
  }
  return {
    name: bytes.name,
    format: isGeneral(format) ? (isLines ? ndjson.name : json.name) : format.name,
    unit: isLines ? 'line' : 'element',
    unusedColumns: names.filter((name) => useOf(name) === undefined),
    rows: rowsOf(ahead, batches, jsonRowReader(useOf, settings.values, isOwn)),
    position: bytes.position,
    close: bytes.close,
  }
}

function* titleKeys({ mapping }: Settings): Generator<string> {
  yield 'title'
  for (const [key, field] of mapping) if (field === 'title') yield key
}

const isGeneral = ({ name }: Format) => name === json.name || name === ndjson.name
const hasTitle = (names: readonly string[], useOf: UseOf) => names.some((name) => givesTitle(useOf(name)))

/** The items of each chunk; those before a failure come before it. */
async function* batchesOf(bytes: Bytes, reader: ItemReader, offset: number): AsyncGenerator<JsonItem[]> {
  let toSkip = offset
  for await (const chunk of bytes.chunks()) {
    const skipped = Math.min(toSkip, chunk.length)
    toSkip -= skipped
    yield* batchOf(reader.push(chunk.subarray(skipped)))
  }
  yield* batchOf(reader.end())
}

function* batchOf(items: Iterable<JsonItem>): Generator<JsonItem[]> {
  const batch: JsonItem[] = []
  let failure: unknown
  try {
    for (const item of items) batch.push(item)
  } catch (error) {
    failure = error
  }
  if (batch.length > 0) yield batch
  if (failure !== undefined) throw failure
}

const MAX_ITEMS_AHEAD = 1000
const MAX_BATCHES_AHEAD = 16
const MAX_NAMES = 2000

type Ahead = {
  readonly items: JsonItem[]
  readonly names: readonly string[]
  readonly first?: JsonObject
  readonly format: Format
  readonly failure?: unknown
}

/** Reads until the title and all columns of --map were seen, or far enough not to expect them. */
async function readAhead(batches: AsyncGenerator<JsonItem[]>, settings: Settings): Promise<Ahead> {
  const items: JsonItem[] = []
  const names = new Set<string>()
  let first: JsonObject | undefined
  let format = settings.format ?? json
  let failure: unknown
  for (let count = 0; count < MAX_BATCHES_AHEAD && items.length < MAX_ITEMS_AHEAD; count++) {
    const batch = await batches.next().catch((error: unknown) => {
      failure = error
    })
    if (!batch || batch.done) break
    items.push(...batch.value)
    for (const { object } of batch.value) {
      const movie = object && movieIn(object)
      if (movie !== undefined && first === undefined)
        format = settings.format ?? recognised('json', Object.keys(movie), movie)
      first ??= movie
      for (const name of Object.keys(movie ?? {})) if (names.size < MAX_NAMES) names.add(name)
    }
    const isMapped = [...settings.mapping.keys()].every((name) => names.has(name))
    if (isMapped && hasTitle([...names], usesOf(format, settings.mapping))) break
  }
  return { items, names: [...names], first, format, failure }
}

async function* rowsOf(
  { items, failure }: Ahead,
  batches: AsyncIterable<JsonItem[]>,
  rowOf: (item: JsonItem) => Row,
): AsyncGenerator<Row> {
  for (const item of items) yield rowOf(item)
  if (failure !== undefined) throw failure
  for await (const batch of batches) for (const item of batch) yield rowOf(item)
}

const MAX_REMEMBERED = 5000

/** Looks each key up once. */
function remembered(useOf: UseOf): UseOf {
  const known = new Map<string, ReturnType<UseOf>>()
  return (name) => {
    if (known.has(name)) return known.get(name)
    const use = useOf(name)
    if (known.size < MAX_REMEMBERED) known.set(name, use)
    return use
  }
}
