import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { testDatabaseUrl } from './database'
import { areFaultsWanted } from './faults'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const ARTEFACTS = join(import.meta.dir, '..', '..', 'artefacts')
const DESKTOP = { width: 1280, height: 900 }
const PHONE = { width: 390, height: 844 }

/** What a page does is the same on either database, so the tests in a browser run in one of the passes. */
const reason =
  CHROMIUM === undefined
    ? 'there is no Chromium'
    : testDatabaseUrl !== undefined
      ? 'the run without TEST_DATABASE_URL has them'
      : areFaultsWanted
        ? undefined
        : 'they run with FAULTS=1'
export const hasBrowser = reason === undefined
if (reason !== undefined) console.warn(`left out: tests in a browser: ${reason}`)
export const BROWSER_TIMEOUT_MS = 240_000
/** For what a page is waited for; a busy machine needs more than Playwright’s 30 s. */
const STEP_TIMEOUT_MS = 100_000

/** Another name of this machine, whose pages have not what browsers only give to localhost and over TLS. */
export const PLAIN_HOST = 'redlight.test'

export type Look = {
  readonly name: string
  readonly colorScheme: 'light' | 'dark'
  readonly viewport: { readonly width: number; readonly height: number }
}
const light: Look = { name: 'light', colorScheme: 'light', viewport: DESKTOP }
export const looks: readonly Look[] = [
  light,
  { name: 'dark', colorScheme: 'dark', viewport: DESKTOP },
  { name: 'phone', colorScheme: 'light', viewport: PHONE },
  { name: 'phone-dark', colorScheme: 'dark', viewport: PHONE },
]

export const launchBrowser = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      `--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`,
    ],
  })

/** A page in a new browser context, and everything that goes wrong on it, requests to other hosts included. */
export async function newPage(browser: Browser, { host }: URL, look = light) {
  const { colorScheme, viewport } = look
  const context = await browser.newContext({ viewport, colorScheme, hasTouch: viewport === PHONE })
  context.setDefaultTimeout(STEP_TIMEOUT_MS)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    // The browser warns of refusals of the API, but they are ordinary responses.
    const isRefusal = /^Failed to load resource: the server responded with a status of 4/.test(message.text())
    if (['error', 'warning'].includes(message.type()) && !isRefusal) problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol.startsWith('http') && url.host !== host) problems.push(`asked ${request.url()}`)
  })
  return { page, problems }
}

/** A screenshot for people. */
export const shoot = (page: Page, name: string) =>
  page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage: false })

export const tooWide = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
