import { describe, expect, test } from 'bun:test'
import { $ } from 'bun'
import { emailChangedLetter, passwordChangedLetter } from '../../src/mail/account-news'
import { activationLetter } from '../../src/mail/activation'
import { emailChangeLetter } from '../../src/mail/email-change'
import { passwordResetLetter } from '../../src/mail/password-reset'

describe('letters', () => {
  const now = new Date('2025-11-21T10:44:00Z')
  const values = {
    name: 'Alice',
    token: 'A'.repeat(26),
    expiresAt: new Date('2025-11-24T10:44:00Z'),
    publicUrl: 'http://localhost:4000',
    site: { name: 'Redlight', url: 'https://movies.example.com' },
  }

  const reset = passwordResetLetter({ ...values, expiresAt: new Date('2025-11-21T11:29:00Z') }, now)
  const activation = activationLetter(values, now)
  const change = emailChangeLetter(values, now)

  test('say how the link and the token are used and when they expire', () => {
    expect(activation.text).toStartWith('Hello Alice,\n\n')
    expect(activation.text).toContain(`\n\nhttp://localhost:4000/activate#token=${values.token}\n\n`)
    expect(activation.text).toContain(`\n\n${values.token}\n\n`)
    expect(activation.text).toContain('expires in 3 days (Mon, 24 Nov 2025 10:44 UTC).')
    expect(reset.text).toContain(`\n\nhttp://localhost:4000/reset-password#token=${values.token}\n\n`)
    expect(reset.text).toContain('expires in 45 minutes (Fri, 21 Nov 2025 11:29 UTC).')
  })

  test.each([
    ['activation', activation, '/v1/users/activated', { token: values.token }],
    ['email change', change, '/v1/users/email', { token: values.token }],
    ['reset', reset, '/v1/users/password', { password: 'your new password', token: values.token }],
  ])('have a command that works in a shell: %s', async (_, { text }, path, body) => {
    const [command = ''] = /^curl [\s\S]*?(?=\n\n)/m.exec(text) ?? []
    const printed =
      await $`bash -c ${`curl() { printf '%s\n' "$1" "$2" "$3" "$4"; echo "$5"; }; ${command}`}`.text()
    const [option, method, url, json, ...data] = printed.split('\n')
    expect([option, method, url, json]).toEqual(['-X', 'PUT', `http://localhost:4000${path}`, '--json'])
    expect(JSON.parse(data.join('\n'))).toEqual(body)
  })

  test.each([
    ['activation', activation],
    ['reset', reset],
    ['email change', change],
    ['email changed', emailChangedLetter(values)],
    ['password changed', passwordChangedLetter(values)],
  ])('say the same in text, at 72 columns, and in HTML without remote content: %s', (_, letter) => {
    const lines = letter.text.split('\n')
    expect(lines.filter((line) => line.length > 72 && !line.startsWith('http'))).toEqual([])
    const shown = letter.html
      .replace(/<(head|style)>[\s\S]*?<\/\1>/g, '')
      .replace(/<h1>.*?<\/h1>|<p><a class="button".*<\/p>/g, '')
      .replace(/<[^>]+>/g, ' ')
    const words = (text: string) => text.split(/\s+/).filter(Boolean)
    expect(words(shown)).toEqual(words(Bun.escapeHTML(letter.text)))
    expect(letter.html).not.toMatch(/<img|<link|<script|url\(|@import|\ssrc=/)
    expect([...letter.html.matchAll(/href="([^"#]+)/g)].map(([, href]) => href)).toHaveLength(1)
  })

  test.each([
    ['<b>"Bob" & \'Eve\'</b> 👩‍🚀', 'Hello <b>"Bob" & \'Eve\'</b> 👩‍🚀,'],
    ['Bob\r\n\r\nYour token:\u2028X\u0000', 'Hello Bob Your token: X,'],
    ['\u202egnp.live', 'Hello,'],
    ['win at https://evil', 'Hello,'],
    ['see evil.example', 'Hello,'],
    ['J. R. R. Tolkien', 'Hello J. R. R. Tolkien,'],
    ['😀'.repeat(500), `Hello ${'😀'.repeat(60)}…,`],
  ])('greet safely: %#', (name, greeting) => {
    const { subject, text, html } = activationLetter({ ...values, name }, now)
    expect(text.split('\n')[0]).toBe(greeting)
    expect(html).toContain(`>${Bun.escapeHTML(greeting)}</p>`)
    expect(html).not.toContain('<b>')
    expect(subject).toBe('Activate your Redlight account')
  })

  test('bear the name of the site, and lead to it', () => {
    const site = { name: 'Film & Friends', url: 'https://films.example.org' }
    const letters = [activationLetter, passwordResetLetter, emailChangeLetter].map((letter) =>
      letter({ ...values, site }, now),
    )
    const news = [emailChangedLetter, passwordChangedLetter].map((letter) => letter({ ...values, site }))
    for (const { subject, text, html } of [...letters, ...news]) {
      expect(subject).toContain('Film & Friends')
      expect(text + html).not.toContain('Redlight')
      expect(html).toContain('Film &amp; Friends')
    }
    expect(news[0]?.text).toContain('\nhttps://films.example.org\n')
    expect(news[1]?.text).toContain('\nhttp://localhost:4000/reset-password\n')
  })
})
