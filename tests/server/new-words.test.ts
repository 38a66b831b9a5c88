import { expect, setDefaultTimeout, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { sortNewWords } from '../../src/catalogue/words-store'
import { createLog } from '../../src/log'
import { migrate } from '../../src/migrations/migrate'
import { startSorting } from '../../src/server/new-words'
import { withDb } from '../support/backup'
import { createTestDatabase } from '../support/database'
import { until } from '../support/until'

setDefaultTimeout(240_000)

test('words of new movies wait until they are sorted into the indexes', async () => {
  const database = await createTestDatabase()
  await withDb(database.config, async (db) => {
    await migrate(db)
    await sortNewWords(db)
    expect(await sortNewWords(db)).toBe(false)
    await db.execute(sql`insert into movies (title, year, genres) values ('Sorted Words', 2000, '{a}')`)
    expect(await sortNewWords(db)).toBe(true)
    expect(await sortNewWords(db)).toBe(false)
    const found = await db.execute(sql`select title from movies where title_words @@ search_query('sorted')`)
    expect([...found]).toEqual([{ title: 'Sorted Words' }])
  })
  await database.drop()
})

test('they are sorted again and again, also after a failure, until the stop', async () => {
  const lines: string[] = []
  let times = 0
  async function sort() {
    times++
    if (times === 1) throw new Error('no connection')
  }
  const stop = startSorting(
    sort,
    createLog('debug', (line) => lines.push(line())),
    1,
  )
  await until(() => times > 2)
  stop()
  const { level, message } = JSON.parse(lines.join())
  expect(`${level}: ${message}`).toBe('debug: the words of new movies could not be sorted yet')
})
