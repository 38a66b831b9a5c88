/** RFC 3339 in UTC, in whole seconds. */
export const timestampJson = (time: Date) => `${time.toISOString().slice(0, 19)}Z`
