import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** By the keys under which rows have their values. */
export type Columns = Readonly<Record<string, PgColumn>>

/**
 * The table `sent`, made of rows of JavaScript: one parameter however many they are, so that one statement serves them
 * all. Its columns are named as the keys are.
 */
export function sentRows(columns: Columns, rows: readonly Readonly<Record<string, unknown>>[]): SQL {
  const typed = Object.entries(columns).map(
    ([key, column]) => sql`${sql.identifier(key)} ${sql.raw(column.getSQLType())}`,
  )
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as sent (${listed(typed)})`
}

/** What the columns are called in their own table. */
export const namesOf = (columns: Columns): SQL =>
  listed(Object.values(columns).map(({ name }) => sql`${sql.identifier(name)}`))

/** Their values in `sent`, in the same order. */
export const sentValues = (columns: Columns): SQL =>
  listed(Object.keys(columns).map((key) => sql`sent.${sql.identifier(key)}`))

const listed = (parts: SQL[]) => sql.join(parts, sql`, `)
