import { Type } from '@sinclair/typebox'
import { integerParameter, parameter } from './fields'
import { didYouMean } from './suggest'

const DEFAULT_PAGE_SIZE = 20

/** The parameters that choose a page of a list (contract section 3). */
export const pageParameters = {
  page: Type.Optional(integerParameter(1, 10_000_000)),
  page_size: Type.Optional(integerParameter(1, 100)),
}

export const parsePage = ({ page, page_size }: { page?: string; page_size?: string }) => ({
  page: Number(page ?? 1),
  pageSize: Number(page_size ?? DEFAULT_PAGE_SIZE),
})

export type Sort<Key extends string> = { key: Key; descending: boolean }

/** A sort key, or one with `-` in front for descending order; or an order that has no reverse. */
export function sortParameter(keys: readonly string[], orders: readonly string[] = []) {
  return wordParameter([...keys.flatMap((key) => [key, `-${key}`]), ...orders])
}

/** One of these words. */
export function wordParameter<Word extends string>(words: readonly Word[]) {
  const choice = words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ')
  return parameter<Word>({ type: 'string', enum: words }, (value) =>
    words.some((word) => word === value) ? undefined : `must be ${choice}${didYouMean(String(value), words)}`,
  )
}

export function parseSort<Key extends string>(
  sort: string | undefined,
  keys: readonly Key[],
): Sort<Key> | undefined {
  const key = keys.find((known) => sort === known || sort === `-${known}`)
  return key && { key, descending: sort !== key }
}
