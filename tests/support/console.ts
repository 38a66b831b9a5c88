import { afterAll, beforeAll, expect } from 'bun:test'
import type { Browser, Locator, Page } from 'playwright-core'
import type { Config } from '../../src/config/config'
import type { realTime } from '../../src/server/compose'
import { BROWSER_TIMEOUT_MS, hasBrowser, type Look, launchBrowser, newPage } from './browser'
import { startTestServer, type TestServer } from './server'

type Opened = { page: Page; problems: string[] }
type Signed = { token: string } | undefined
type Options = { timing?: typeof realTime; keepMovies?: boolean }

/** The real service and a browser for the tests of one file. */
export function consoleInBrowser(overrides: Partial<Config> = {}, options: Options = {}) {
  let server: TestServer
  let browser: Browser
  beforeAll(async () => {
    if (!hasBrowser) return
    server = await startTestServer(overrides, { keepMovies: true, ...options })
    browser = await launchBrowser()
  }, BROWSER_TIMEOUT_MS)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  const addressOf = (path: string) => new URL(path, server.url).href

  /** Opens a page in a browser of its own, signed in as this user. */
  async function open(path: string, user?: Signed, look?: Look): Promise<Opened> {
    const opened = await newPage(browser, server.url, look)
    if (user !== undefined) await giveSession(opened.page, user)
    await opened.page.goto(addressOf(path))
    return opened
  }
  /** As if the user had signed in, in this tab. */
  async function giveSession(page: Page, { token }: { token: string }, base = server.url) {
    await page.goto(new URL('/docs/json', base).href)
    await page.evaluate(
      ([key, value]) => sessionStorage.setItem(key ?? '', value ?? ''),
      ['redlight.session', JSON.stringify({ token, expiry: '2999-01-01T00:00:00Z' })],
    )
  }
  return { server: () => server, browser: () => browser, open, giveSession, addressOf }
}

export const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
export const button = (page: Page | Locator, name: string | RegExp) =>
  page.getByRole('button', { name, exact: true })
export const link = (page: Page | Locator, name: string | RegExp) =>
  page.getByRole('link', { name, exact: true })
export const textbox = (page: Page | Locator, name: string) => page.getByLabel(name, { exact: true })
export const notice = (page: Page, text: string | RegExp) =>
  page.getByRole('status', { name: 'Notifications' }).filter({ hasText: text }).waitFor()
export const count = (page: Page, text: string) =>
  page.getByRole('status').getByText(text, { exact: true }).waitFor()
/** The list is that of a search; how much else is written nearly so doesn't matter. */
export const found = (page: Page, q: string) =>
  page
    .getByRole('status')
    .filter({ hasText: new RegExp(`^\\d+ movies? for “${q}”$`) })
    .waitFor()
/** The titles of the list, in their order. */
export const titles = (page: Page, list = 'Movies') =>
  page.getByRole('list', { name: list, exact: true }).getByRole('link').locator('bdi').allTextContents()
/** The name of what has the focus. */
export const focused = (page: Page) =>
  page.evaluate<string>(
    '(({ labels, ariaLabel, textContent }) => ariaLabel ?? labels?.[0]?.textContent ?? textContent)(document.activeElement)',
  )

/** The page's path and query. */
export const addressIn = (page: Page) => {
  const { pathname, search } = new URL(page.url())
  return pathname + search
}

export const noProblems = (...opened: Opened[]) =>
  expect(opened.flatMap(({ problems }) => problems)).toEqual([])
