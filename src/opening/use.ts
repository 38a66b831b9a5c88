import type { Database } from '../db/client'
import { databaseUnavailable } from '../db/errors'

/** A database for a command. `failed` as in OpenDatabase, if this process runs the embedded database. */
export type CommandDatabase = Database & { readonly failed?: Promise<Error> }

/** Runs work on a database, and closes it afterwards. */
export async function useAndClose<T>(
  database: CommandDatabase,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  let failure: Error | undefined
  database.failed?.then((error) => {
    failure = error
  })
  try {
    return await work(database)
  } catch (error) {
    // Statements only find their connections closed.
    throw failure === undefined ? error : databaseUnavailable(failure)
  } finally {
    await database.close()
  }
}
