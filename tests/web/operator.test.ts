import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { BROWSER_TIMEOUT_MS, hasBrowser } from '../support/browser'
import {
  addressIn,
  button,
  consoleInBrowser,
  count,
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

    await page.goBack()
    await page.getByRole('searchbox', { name: 'Search users' }).fill('late')
    await link(page, 'Late').click()
    await button(page, 'Activate').click()
    await notice(page, `${late.email} is active.`)
    await until(async () => (await button(page, 'Activate').count()) === 0)

    await page.goto(`${server().url}admin/users/${ada.id}`)
    await heading(page, 'Ada')
    expect(await permission('admin').isDisabled()).toBe(true)
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
    await page.getByRole('searchbox', { name: 'Search all movies' }).fill('removed')
    await button(page, 'Remove Removed <i>').click()
    const dialog = page.getByRole('dialog', { name: 'Remove “Removed <i>”?' })
    await button(dialog, 'Remove movie').click()
    await notice(page, '“Removed <i>” is removed.')
    await page.getByText('No movie matches.').waitFor()
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
    await until(async () => /gave a movie to another/.test((await first.textContent()) ?? ''))
    await textbox(page, 'Who').fill(ada.email)
    await page.waitForURL(/who=/)
    await until(async () => (await trail.getByRole('row').count()) === 4)
    await textbox(page, 'Who').fill('nobody at all')
    await page.getByText('No user is called so.').waitFor()
    await textbox(page, 'Who').fill('')
    await trail.waitFor()
    await page.reload()
    await trail.waitFor()
    expect(addressIn(page)).toBe('/admin/audit?action=movie.reassigned')
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
