import type { Row } from './row'

/** A row may be 1 MiB, so the number of rows alone doesn't bound a batch. */
const MAX_CHARACTERS = 4_194_304

/** Rows in batches. When reading fails, the rows before come first, then the error. */
export async function* batchesOf(rows: AsyncIterable<Row>, maxRows: number): AsyncGenerator<readonly Row[]> {
  let batch: Row[] = []
  let characters = 0
  let failure: { readonly error: unknown } | undefined
  const iterator = rows[Symbol.asyncIterator]()
  for (;;) {
    const next = await iterator.next().catch((error: unknown) => {
      failure = { error }
    })
    if (next === undefined || next.done) break
    batch.push(next.value)
    characters += sizeOf(next.value.fields)
    if (batch.length < maxRows && characters < MAX_CHARACTERS) continue
    yield batch
    batch = []
    characters = 0
  }
  if (batch.length > 0) yield batch
  if (failure !== undefined) throw failure.error
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  let size = 0
  for (const part of Object.values(value)) size += sizeOf(part)
  return size
}
