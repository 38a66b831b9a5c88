import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { startTestServer, type TestServer, type TestUser } from './support/server'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const ARTEFACTS = join(import.meta.dir, '..', 'artefacts')
const TIMEOUT_MS = 180_000
const DESKTOP = { width: 1280, height: 900 }
const PHONE = { width: 390, height: 844 }

if (CHROMIUM === undefined)
  console.log('the documentation page is not tried in a browser: there is no Chromium')

let server: TestServer
let alice: TestUser
let browser: Browser
beforeAll(async () => {
  if (CHROMIUM === undefined) return
  server = await startTestServer({}, { keepFilms: true })
  alice = await server.newUser()
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
}, TIMEOUT_MS)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** The page, once it shows its operations; and whatever went wrong on it. */
async function openDocs(colorScheme: 'light' | 'dark', viewport = DESKTOP) {
  const context = await browser.newContext({ viewport, colorScheme, hasTouch: viewport === PHONE })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol !== 'data:' && host !== server.url.host) problems.push(`asked ${request.url()}`)
  })
  await page.goto(new URL('/docs', server.url).href)
  await page.locator('.opblock').first().waitFor()
  return { page, problems }
}

const shoot = (page: Page, name: string) =>
  page.screenshot({ path: join(ARTEFACTS, `docs-${name}.png`), fullPage: false })

const operation = (page: Page, id: string) => page.locator(`.opblock[id$="-${id}"]`)

async function signIn(page: Page) {
  await page.getByPlaceholder('Email or username').fill(alice.email)
  await page.getByPlaceholder('Password').fill(alice.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor()
}

/** Opens an operation and sends its example; tells what the page shows of the answer. */
async function call(page: Page, id: string) {
  const block = operation(page, id)
  await block.locator('.opblock-summary-control').click()
  await block.getByRole('button', { name: 'Execute' }).click()
  const answer = block.locator('.live-responses-table .response').first()
  await answer.waitFor()
  return {
    status: ((await answer.locator('.response-col_status').textContent()) ?? '').trim().slice(0, 3),
    text: await answer.locator('.response-col_description').textContent(),
  }
}

const tooWide = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')

type Paths = { paths: Record<string, Record<string, { operationId: string; responses: object }>> }

const LOOKS = [
  ['light', 'light', DESKTOP],
  ['dark', 'dark', DESKTOP],
  ['phone', 'light', PHONE],
  ['phone-dark', 'dark', PHONE],
] as const

describe.skipIf(CHROMIUM === undefined)('in a browser, the documentation page', () => {
  test.each(LOOKS)(
    'lets a visitor sign in and list the films: %s',
    async (name, colours, viewport) => {
      const { page, problems } = await openDocs(colours, viewport)
      await shoot(page, name)
      await signIn(page)
      const answer = await call(page, 'listMovies')
      expect(answer.status).toBe('200')
      expect(answer.text).toContain('Moana')
      await shoot(page, `${name}-answer`)
      await operation(page, 'createMovie').locator('.opblock-summary-control').click()
      await operation(page, 'createMovie').locator('.opblock-section-request-body').scrollIntoViewIfNeeded()
      await shoot(page, `${name}-body`)
      expect(await tooWide(page)).toBe(0)
      expect(problems).toEqual([])
    },
    TIMEOUT_MS,
  )

  test(
    'sends every call, and gets an answer that the document knows',
    async () => {
      const { page } = await openDocs('light')
      await signIn(page)
      const { paths } = (await server.request<Paths>('GET', '/docs/json')).body
      for (const { operationId, responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
        const { status } = await call(page, operationId)
        // A page on which everything is open is slow.
        await operation(page, operationId).locator('.opblock-summary-control').click()
        expect([operationId, Object.keys(responses).includes(status)]).toEqual([operationId, true])
      }
    },
    TIMEOUT_MS,
  )

  test(
    'says why it could not sign in',
    async () => {
      const { page } = await openDocs('light')
      await page.getByPlaceholder('Email or username').fill('nobody')
      await page.getByPlaceholder('Password').fill('wrong')
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByText('invalid authentication credentials', { exact: true }).waitFor()
    },
    TIMEOUT_MS,
  )
})
