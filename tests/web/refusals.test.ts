import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import { button, consoleInBrowser, count, heading, link, textbox } from '../support/console'
import type { TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ana: TestUser
beforeAll(async () => {
  if (hasBrowser) ana = await server().newUser({ name: 'Ana', username: 'ana1' })
})

describe.skipIf(!hasBrowser)('a refusal is said in words', () => {
  const refuse = (page: Page, status: number, headers: Record<string, string> = {}, error: unknown = 'no') =>
    page.route('**/v1/movies?*', (route) => route.fulfill({ status, headers, json: { error } }))

  test.each([
    [429, { 'Retry-After': '7' }, 'Too many requests. Try again in 7 seconds.'],
    [429, { 'Retry-After': '0' }, 'Too many requests. Try again in a second.'],
    [403, {}, 'You aren’t allowed to do that.'],
    [
      500,
      { 'X-Request-Id': 'abc-123' },
      'Redlight has a problem just now. Try again in a moment. If it persists, tell its operator this number: abc-123',
    ],
    [502, {}, 'Redlight has a problem just now. Try again in a moment.'],
  ])('%d', async (status, headers, text) => {
    const { page } = await open('/movies/1', ana)
    await heading(page, 'Moana')
    await refuse(page, status, headers)
    await link(page, 'Movies').click()
    await page.getByRole('alert').getByText(text, { exact: true }).waitFor()
    await page.unroute('**/v1/movies?*')
    await button(page, 'Try again').click()
    await count(page, '120 movies')
  })

  test('no answer is said, and tried again until there is one', async () => {
    const { page } = await open('/', ana)
    await count(page, '120 movies')
    await page.context().setOffline(true)
    await link(page, 'My movies').click()
    const told = page.getByText('Redlight can’t be reached. What you see may be out of date.')
    await told.waitFor()
    await page.context().setOffline(false)
    await page.getByText(/^\d+ movies?$/).waitFor()
    expect(await told.count()).toBe(0)

    await link(page, 'Add a movie').first().click()
    await textbox(page, 'Title').fill('Offline')
    await page.context().setOffline(true)
    await button(page, 'Add movie').click()
    await told.waitFor()
    expect(await textbox(page, 'Title').inputValue()).toBe('Offline')
    await page.context().setOffline(false)
    await until(async () => (await told.count()) === 0)
    await until(async () => (await page.getByText('Try again in a moment.').count()) === 0)
  })

  test('no answer is tried again, even if another comes late', async () => {
    const { page } = await open('/account', ana)
    await textbox(page, 'Username').waitFor()
    const late = Promise.withResolvers<void>()
    await page.route('**/v1/genres', async (route) => {
      await late.promise
      await route.continue()
    })
    await page.route('**/v1/movies?*', (route) => route.abort())
    await link(page, 'Movies').click()
    const told = page.getByText('Redlight can’t be reached. What you see may be out of date.')
    await told.waitFor()
    const answered = page.waitForResponse('**/v1/genres')
    late.resolve()
    await answered
    await page.unroute('**/v1/movies?*')
    await count(page, '120 movies')
  })

  test('what was read before is shown while there is no answer', async () => {
    const { page } = await open('/', ana)
    await count(page, '120 movies')
    await page.getByRole('link', { name: /^Moana 2016/ }).click()
    await heading(page, 'Moana')
    await page.context().setOffline(true)
    await link(page, 'Movies').click()
    await page.getByText('Redlight can’t be reached. What you see may be out of date.').waitFor()
    await count(page, '120 movies')
    await page.getByRole('link', { name: /^Moana 2016/ }).waitFor()
    await page.context().setOffline(false)
  })

  test('is brought into view, wherever the form was sent from', async () => {
    const { page } = await open('/movies/new', ana)
    await textbox(page, 'Title').fill('Refused')
    await page.route('**/v1/movies', (route) => route.fulfill({ status: 503, json: { error: 'no' } }))
    await button(page, 'Add movie').click()
    const alert = page.getByRole('alert').filter({ hasText: 'Redlight has a problem just now.' })
    await alert.waitFor()
    const { y = 0 } = (await alert.boundingBox()) ?? {}
    expect(y).toBeGreaterThanOrEqual((await page.getByRole('banner').boundingBox())?.height ?? 0)
    expect(await textbox(page, 'Title').inputValue()).toBe('Refused')
  })

  test('a tab that is open while the service is upgraded goes on', async () => {
    const admin = await server().newUser({ permissions: ['movies:read', 'admin'] })
    const { page } = await open('/', admin)
    await count(page, '120 movies')
    // The new version has other parts.
    let refused = 0
    await page.route('**/docs/assets/*/part-*.js', (route) => {
      refused++
      return route.fulfill({ status: 404, json: { error: 'no' } })
    })
    await page.evaluate('window.isOld = true')
    const loaded = page.waitForEvent('load')
    await page.route('**/v1/healthcheck', async (route) => {
      await page.unroute('**/docs/assets/*/part-*.js')
      await route.continue()
    })
    await link(page, 'Operator').click()
    await loaded
    await heading(page, 'Users')
    expect(refused).toBeGreaterThan(0)
    expect(await page.evaluate('window.isOld')).toBeUndefined()
  })

  test('a page that is opened while the service is upgraded is tried again, and says so in the end', async () => {
    const { page } = await open('/', ana)
    await count(page, '120 movies')
    const parts = '**/docs/assets/*/part-*.js'
    await page.clock.install()
    let refused = 0
    await page.route(parts, (route) => {
      refused++
      return route.fulfill({ status: 404, json: { error: 'no' } })
    })
    await page.reload({ waitUntil: 'commit' })
    // Not asked in the page, whose policy forbids it to evaluate text.
    const reload = (times: number) =>
      until(async () => (await page.evaluate('history.state?.reloads').catch(() => 0)) === times)
    for (const times of [1, 2, 3, 4, 5]) {
      await reload(times)
      await page.clock.runFor(10_000)
    }
    await page.getByRole('alert').getByText('The page could not be loaded. Reload it to try again.').waitFor()
    expect(refused).toBeGreaterThan(5)
    await page.unroute(parts)
    await page.reload()
    await count(page, '120 movies')
  })

  test('an older answer never covers a newer one', async () => {
    const { page } = await open('/', ana)
    await count(page, '120 movies')
    const held: (() => Promise<void>)[] = []
    await page.route('**/v1/movies?*genres=war*', (route) => {
      held.push(() => route.continue())
    })
    await page.getByRole('checkbox', { name: /^war/i }).check()
    await until(() => held.length > 0)
    await page.getByRole('checkbox', { name: /^war/i }).uncheck()
    await page.getByRole('checkbox', { name: /^western/i }).check()
    await page.waitForURL('**/?genres=western')
    const western = await page
      .getByRole('status')
      .getByText(/^\d movies$/)
      .textContent()
    for (const go of held) await go().catch(() => {})
    await page.waitForLoadState('networkidle')
    await count(page, western ?? '')
  })
})
