/** A member of an object, or nothing of anything else. */
export const member = (value: unknown, key: string): unknown =>
  isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** The entries of a list, or none of anything else. */
export const entries = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
