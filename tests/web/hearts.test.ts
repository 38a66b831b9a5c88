import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import {
  button,
  consoleInBrowser,
  count,
  heading,
  link,
  noProblems,
  notice,
  titles,
} from '../support/console'
import { aMovie, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (hasBrowser) ana = await server().newUser({ name: 'Ana' })
})
const pressed = (page: Page, name: string) =>
  page.locator(`[aria-label="${name}"][aria-pressed="true"]`).waitFor()

describe.skipIf(!hasBrowser)('a heart', () => {
  test('makes a movie a favourite at once, in every tab, which stays on the list until that is left', async () => {
    const opened = await open('/movies/2', ana)
    const { page } = opened
    await heading(page, 'Seven Samurai')
    const other = await page.context().newPage()
    await other.goto(server().url.href)
    const heart = button(other, 'Favourite Seven Samurai')
    await heart.waitFor()
    await page.route('**/favourites/2', async (route) => {
      expect(await button(page, 'Favourite').getAttribute('aria-pressed')).toBe('true')
      await route.continue()
    })
    await page.bringToFront()
    await button(page, 'Favourite').click()
    await notice(page, '“Seven Samurai” is one of your favourites now.')
    await page.unroute('**/favourites/2')
    await pressed(other, 'Favourite Seven Samurai')
    await page.reload()
    await pressed(page, 'Favourite')
    await link(page, 'Favourites').click()
    await count(page, '1 movie')
    await button(page, 'Favourite Seven Samurai').click()
    await notice(page, 'isn’t one of your favourites any more')
    expect(await titles(page, 'Favourites')).toEqual(['Seven Samurai'])
    await link(page, 'Movies').click()
    await count(page, '120 movies')
    await link(page, 'Favourites').click()
    await page.getByText('No favourites yet.').waitFor()

    // A refusal takes it back.
    await link(page, 'Movies').click()
    await page.route('**/favourites/*', (route) => route.fulfill({ status: 403, json: { error: 'no' } }))
    await button(page, 'Favourite Moana').click()
    await notice(page, 'You aren’t allowed to do that.')
    expect(await button(page, 'Favourite Moana').getAttribute('aria-pressed')).toBe('false')
    noProblems(opened)
  })

  test('is corrected by a newer list, but not by one that was asked for before it was pressed', async () => {
    const opened = await open('/', ana)
    const { page } = opened
    await count(page, '120 movies')
    const list = '**/v1/movies?*'
    const heart7 = button(page, `Favourite ${(await titles(page))[7]}`)
    await link(page, 'My movies').click()
    await heading(page, 'My movies')
    const held: (() => Promise<void>)[] = []
    await page.route(list, async (route) => {
      const response = await route.fetch()
      held.push(() => route.fulfill({ response }))
    })
    await link(page, 'Movies').click()
    await until(() => held.length > 0)
    await heart7.click()
    await notice(page, 'is one of your favourites now.')
    for (const go of held) await go()
    await page.unroute(list)
    await page.locator('[aria-busy="false"]').waitFor()
    expect(await heart7.getAttribute('aria-pressed')).toBe('true')
    const elsewhere = await server().request<{ movies: { id: number }[] }>('GET', '/v1/users/me/favourites', {
      token: ana.token,
    })
    for (const { id } of elsewhere.body.movies)
      await server().request('DELETE', `/v1/users/me/favourites/${id}`, { token: ana.token })
    await link(page, 'My movies').click()
    await heading(page, 'My movies')
    await link(page, 'Movies').click()
    await until(async () => (await heart7.getAttribute('aria-pressed')) === 'false')
    noProblems(opened)
  })

  test('is full on the page of a movie whose title has more words than a search may have', async () => {
    const added = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: ana.token,
      body: aMovie(Array.from({ length: 40 }, (_, index) => `a${index}`).join('.')),
    })
    const { id } = added.body.movie
    await server().request('PUT', `/v1/users/me/favourites/${id}`, { token: ana.token })
    const { page } = await open(`/movies/${id}`, ana)
    await pressed(page, 'Favourite')
  })
})
