import { expect, test } from 'bun:test'
import { failures } from '../../src/errors'

// docs/ERRORS.md is generated from the catalogue: `UPDATE_DOCS=1 bun test tests/house/errors.test.ts` updates it.

const PAGE = 'docs/ERRORS.md'

const heading = `# Errors

Every failure is \`{"error": …}\`, and every answer carries \`X-Request-Id\`. A program decides by the status; the text is for
people. 422 has an object in its place, with a message for each field. This page is made from \`src/errors.ts\` by
\`UPDATE_DOCS=1 bun test tests/house/errors.test.ts\`.
`

function section(status: number): string {
  const rows = Object.entries(failures)
    .filter(([, failure]) => failure.status === status)
    .map(
      ([code, { message, when, fix }]) =>
        `### ${code}\n\n> ${message}\n\n**When:** ${when}\\\n**What to do:** ${fix}\n`,
    )
  return `## ${status}\n\n${rows.join('\n')}`
}

const statuses = [...new Set(Object.values(failures).map(({ status }) => status))].sort()
const page = [heading, ...statuses.map(section)].join('\n')

test('the page of errors matches the catalogue', async () => {
  if (process.env.UPDATE_DOCS) await Bun.write(PAGE, page)
  expect(await Bun.file(PAGE).text()).toBe(page)
})

test('every error says in a sentence each when it occurs and what to do', () => {
  for (const { when, fix } of Object.values(failures))
    for (const sentence of [when, fix]) expect(sentence).toMatch(/^[A-Z`].*\.$/s)
})
