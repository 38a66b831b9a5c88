import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import {
  addressIn,
  button,
  consoleInBrowser,
  count,
  focused,
  heading,
  link,
  noProblems,
  notice,
  textbox,
} from '../support/console'
import { aMovie, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(BROWSER_TIMEOUT_MS)

const { server, open } = consoleInBrowser()
let ada: TestUser
let bob: TestUser
let late: TestUser
beforeAll(async () => {
  if (!hasBrowser) return
  ada = await server().newUser({ name: 'Ada', permissions: ['movies:read', 'movies:write', 'admin'] })
  bob = await server().newUser({ name: 'Bob <b>', username: 'bobby' })
  late = await server().newUser({ name: 'Late', activated: false, permissions: [] })
})
const operator = (page: Page) => page.getByRole('navigation', { name: 'Operator' })
const table = (page: Page, name: string) => page.getByRole('table', { name })
const add = async (title: string) =>
  (
    await server().request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: bob.token,
      body: aMovie(title),
    })
  ).body.movie.id

describe.skipIf(!hasBrowser)('an operator', () => {
  test('finds a user, and gives and takes what they may', async () => {
    const opened = await open('/', ada)
    const { page } = opened
    await link(page, 'Operator').click()
    await heading(page, 'Users')
    await count(page, '3 users')
    await page.getByRole('searchbox', { name: 'Search users' }).fill('BOBBY')
    await count(page, '1 user')
    expect(await table(page, 'Users').getByRole('row').nth(1).textContent()).toMatch(
      /^Bob <b>.*@example.commovies:read, movies:writeactive/,
    )
    await link(page, 'Bob <b>').click()
    await heading(page, 'Bob <b>')
    const group = page.getByRole('group', { name: 'Permissions' })
    const permission = (name: string) => group.getByRole('checkbox', { name })
    await permission('movies:write').uncheck()
    await notice(page, `${bob.email} doesn’t have movies:write any more.`)
    await permission('admin').check()
    await notice(page, `${bob.email} has admin now.`)
    await page.reload()
    await heading(page, 'Bob <b>')
    expect(await permission('movies:write').isChecked()).toBe(false)
    expect(await permission('admin').isChecked()).toBe(true)
    await permission('admin').uncheck()
    await permission('movies:write').check()
    await notice(page, `${bob.email} has movies:write now.`)

    // Two that are pressed before the first is saved both count.
    const held: (() => Promise<void>)[] = []
    await page.route(`**/v1/users/${bob.id}`, (route) => {
      if (route.request().method() !== 'PATCH') return route.continue()
      held.push(() => route.continue())
    })
    await permission('movies:write').uncheck()
    await permission('movies:read').uncheck()
    for (let sent = 0; sent < 2; sent++) {
      await until(() => held.length > sent)
      await held[sent]?.()
    }
    await notice(page, `${bob.email} doesn’t have movies:read any more.`)
    await page.unroute(`**/v1/users/${bob.id}`)
    const permissions = async () =>
      (
        await server().request<{ user: { permissions: string[] } }>('GET', `/v1/users/${bob.id}`, {
          token: ada.token,
        })
      ).body.user.permissions
    expect(await permissions()).toEqual([])
    await permission('movies:read').check()
    await permission('movies:write').check()
    await notice(page, `${bob.email} has movies:write now.`)
    expect((await permissions()).toSorted()).toEqual(['movies:read', 'movies:write'])

    await page.goBack()
    await page.getByRole('searchbox', { name: 'Search users' }).fill('late')
    await link(page, 'Late').click()
    await button(page, 'Activate').click()
    await notice(page, `${late.email} is active.`)
    await until(async () => (await button(page, 'Activate').count()) === 0)
    expect(await focused(page)).toBe('Late')

    await page.goto(`${server().url}admin/users/${ada.id}`)
    await heading(page, 'Ada')
    expect(await permission('admin').isDisabled()).toBe(true)
    const adding = link(page.getByRole('navigation', { name: 'Main' }), 'Add a movie')
    await permission('movies:write').uncheck()
    await adding.waitFor({ state: 'detached' })
    await permission('movies:write').check()
    await adding.waitFor()
    expect(await button(page, 'Remove user').count()).toBe(0)
    noProblems(opened)
  })

  test('takes over a movie, and removes one', async () => {
    await add('Taken Over')
    const removed = await add('Removed <i>')
    const opened = await open('/admin/movies', ada)
    const { page } = opened
    await heading(page, 'All movies')
    await page.getByRole('searchbox', { name: 'Search all movies' }).fill('taken over')
    await button(page, 'Take over Taken Over').click()
    await notice(page, '“Taken Over” is yours now.')
    await table(page, 'All movies').getByRole('cell', { name: 'you' }).waitFor()
    expect(await focused(page)).toBe('Remove Taken Over')
    await page.getByRole('searchbox', { name: 'Search all movies' }).fill('removed')
    await button(page, 'Remove Removed <i>').click()
    const dialog = page.getByRole('dialog', { name: 'Remove “Removed <i>”?' })
    await button(dialog, 'Remove movie').click()
    await notice(page, '“Removed <i>” is removed.')
    await page.getByText('No movie matches.').waitFor()
    expect(await focused(page)).toBe('All movies')
    expect((await server().request('GET', `/v1/movies/${removed}`, { token: bob.token })).status).toBe(404)

    // From the movie's own page, where the second call fails.
    const stranded = await add('Stranded')
    await page.goto(`${server().url}movies/${stranded}`)
    await page.route(`**/v1/movies/${stranded}`, (route) =>
      route.request().method() === 'DELETE'
        ? route.fulfill({ status: 503, json: { error: 'x' } })
        : route.continue(),
    )
    await button(page, 'Remove movie').click()
    await button(page.getByRole('dialog'), 'Remove movie').click()
    await page.getByRole('alert').getByText('The movie is yours now, but couldn’t be removed.').waitFor()
    const { body } = await server().request<{ movie: { created_by: { id: number } } }>(
      'GET',
      `/v1/movies/${stranded}`,
      {
        token: bob.token,
      },
    )
    expect(body.movie.created_by.id).toBe(ada.id)
  })

  test('removes a user whose email they typed, and reads all of it in the trail', async () => {
    const opened = await open(`/admin/users/${bob.id}`, ada)
    const { page } = opened
    await button(page, 'Remove user').click()
    const dialog = page.getByRole('dialog', { name: 'Remove Bob <b>?' })
    await textbox(dialog, 'Email of the user').fill('another@example.com')
    expect(await button(dialog, 'Remove user').isDisabled()).toBe(true)
    await textbox(dialog, 'Email of the user').fill(bob.email)
    await button(dialog, 'Remove user').click()
    await notice(page, `${bob.email} is removed.`)
    await count(page, '2 users')

    await link(operator(page), 'Audit trail').click()
    await heading(page, 'Audit trail')
    const trail = table(page, 'Audit trail')
    const first = trail.getByRole('row').nth(1)
    expect(await first.textContent()).toMatch(/^\d+ \w+ \d{4}, [\d:]+Adaremoved a user .*Bob <b>$/)
    await page.getByRole('combobox', { name: 'Action' }).selectOption('movie.reassigned')
    await page.waitForURL('**/admin/audit?action=movie.reassigned')
    await until(async () => /reassigned a movie/.test((await first.textContent()) ?? ''))
    await textbox(page, 'Who').fill(ada.email)
    await page.waitForURL(/who=/)
    await until(async () => (await trail.getByRole('row').count()) === 4)
    await textbox(page, 'Who').fill('nobody at all')
    await page.getByText('There is no such user.').waitFor()
    await textbox(page, 'Who').fill('')
    await trail.waitFor()
    await page.reload()
    await trail.waitFor()
    expect(addressIn(page)).toBe('/admin/audit?action=movie.reassigned')
    noProblems(opened)
  })
})

describe.skipIf(!hasBrowser)('a list of the operator', () => {
  test('says why it has nothing to show', async () => {
    await server().request('POST', '/v1/keys', { token: ada.token, body: { name: 'TV' } })
    const opened = await open('/admin/movies?page=99', ada)
    const { page } = opened
    await page.getByText('This page is past the end.').waitFor()
    await link(page, 'Last page').click()
    await table(page, 'All movies').waitFor()
    await page.goto(`${server().url}admin/users?page=0`)
    await page.getByText('There is no such list. Page: must be').waitFor()
    await button(page, 'Clear filters').click()
    await table(page, 'Users').waitFor()
    await page.goto(`${server().url}admin/audit?who=${'9'.repeat(20)}`)
    await page.getByText('There is no such list. Who: must be').waitFor()

    await page.route('**/v1/users?*', (route) => route.fulfill({ status: 503, json: { error: 'x' } }))
    await textbox(page, 'Who').fill('Ada')
    await page.getByRole('alert').getByText('Redlight has a problem just now.').waitFor()
    await page.unroute('**/v1/users?*')
    await button(page, 'Try again').click()
    await table(page, 'Audit trail').getByRole('row', { name: /Ada/ }).first().waitFor()
  })
})

describe.skipIf(!hasBrowser)('the figures', () => {
  const point = (index: number) => ({
    at: new Date(Date.UTC(2026, 0, 2, 3, 0, index * 10)).toISOString().replace('.000', ''),
    requests: { '2xx': index === 5 ? 290 : 110, '3xx': 10, '4xx': 0, '5xx': index === 7 ? 5 : 0 },
    p50_ms: index === 3 ? null : 2,
    p99_ms: 40 + index,
    event_loop_lag_ms: 1,
    memory_mb: 150,
    database: { busy: 3, waiting: 0 },
    mails_waiting: null,
    limited: 0,
  })

  test('are drawn, said in words, and read point by point with the keyboard', async () => {
    const { page, problems } = await open('/admin/users', ada)
    const asked: string[] = []
    await page.clock.install()
    await page.route('**/v1/admin/figures*', (route) => {
      const since = new URL(route.request().url()).searchParams.get('since')
      asked.push(since ?? '')
      const points = since === null ? Array.from({ length: 10 }, (_, index) => point(index)) : [point(10)]
      return route.fulfill({ json: { every_seconds: 10, instance: 'one', points } })
    })
    await link(operator(page), 'Figures').click()
    await heading(page, 'Figures')
    const plot = (name: string) => page.getByRole('img', { name, exact: true })
    await plot('Requests, a second: now 12, highest 30').waitFor()
    await plot('Latency, ms: p50 now 2, highest 2; p99 now 49, highest 49').waitFor()
    await plot('Errors, a second: now 0, highest 0.5').waitFor()
    await plot('Memory, MB: now 150, highest 150').waitFor()
    await plot('Mails, waiting: now –, highest –').waitFor()
    await page.getByText('The last hour of one').waitFor()
    const requests = page.getByRole('figure', { name: /^Requests/ })
    await plot('Requests, a second: now 12, highest 30').focus()
    for (let presses = 0; presses < 4; presses++) await page.keyboard.press('ArrowLeft')
    await requests
      .getByRole('strong')
      .or(requests.locator('strong'))
      .getByText('30', { exact: true })
      .waitFor()
    await page.keyboard.press('Escape')
    await requests.locator('strong').getByText('12', { exact: true }).waitFor()

    // Every ten seconds what is newer, and nothing once the page is left.
    await page.clock.runFor(10_000)
    await plot('Latency, ms: p50 now 2, highest 2; p99 now 50, highest 50').waitFor()
    expect(asked).toEqual(['', point(9).at])
    await page.getByText('The plots as numbers').click()
    await page.getByRole('table', { name: 'The last hour' }).waitFor()
    await page
      .getByRole('table', { name: 'Since the start, by route' })
      .getByText('GET /v1/users', { exact: true })
      .waitFor()
    await link(operator(page), 'Users').click()
    await heading(page, 'Users')
    await page.clock.runFor(60_000)
    expect(asked.length).toBe(2)
    expect(problems).toEqual([])
  })

  test('come from the service', async () => {
    const opened = await open('/admin/figures', ada)
    await opened.page.getByRole('img', { name: /^Requests, a second: now / }).waitFor()
    noProblems(opened)
  })
})

describe.skipIf(!hasBrowser)('who is none', () => {
  test('is told so, and loads nothing of it', async () => {
    const opened = await open('/admin/users', late)
    const { page } = opened
    await page.getByText('You aren’t allowed to do that.').waitFor()
    expect(await link(page, 'Operator').count()).toBe(0)
    const loaded = await page.evaluate<string[]>(
      'performance.getEntriesByType("resource").map(({ name }) => name)',
    )
    expect(loaded.filter((name) => name.includes('/v1/users?'))).toEqual([])
    noProblems(opened)
  })
})
