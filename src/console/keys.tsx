import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { call } from './api'
import { Confirm } from './dialog'
import { Field, Problem } from './field'
import { useForm } from './form'
import { tell } from './notices'
import { useResource } from './resource'
import { Failed } from './states'
import { isolated } from './text'
import { dayOf } from './times'
import type { Key } from './types'

export function Keys() {
  const { data, error, reload } = useResource<{ keys: Key[] }>('/v1/keys')
  const made = useSignal<Key | undefined>(undefined)
  const { form, problems, problem } = useForm(async ({ name }, form) => {
    made.value = (await call<{ key: Key }>('POST', '/v1/keys', { body: { name: name?.trim() } })).key
    form.reset()
    reload()
  })
  const keys = data.value?.keys ?? []
  return (
    <section aria-labelledby="keys">
      <div class="about">
        <h2 id="keys" tabIndex={-1}>
          API keys
        </h2>
        <p>A key lets a program, such as a TV app, read movies and nothing else.</p>
      </div>
      <div>
        <form {...form}>
          <Problem>{problem}</Problem>
          <Field name="name" label="Name of the key" autocomplete="off" dir="auto" problem={problems.name} />
          <button type="submit">Make a key</button>
        </form>
        {made.value?.key && <NewKey key={made.value.id} text={made.value.key} />}
        {error.value && data.value === undefined ? <Failed error={error.value} retry={reload} /> : null}
        {keys.length > 0 && (
          <KeyTable
            keys={keys}
            revoked={(key) => {
              if (made.value?.id === key.id) made.value = undefined
              reload()
            }}
          />
        )}
      </div>
    </section>
  )
}

function NewKey({ text }: { text: string }) {
  const field = useRef<HTMLInputElement>(null)
  // Also so that a second Enter sends no empty form.
  useLayoutEffect(() => field.current?.focus(), [])
  async function copy() {
    field.current?.select()
    const isCopied = await copyText(text)
    tell(
      isCopied
        ? 'Copied.'
        : 'Your browser doesn’t let this page copy. The key is selected: copy it yourself.',
    )
  }
  return (
    <div class="alert new-key">
      <label>
        Your new key
        <input ref={field} readOnly value={text} onFocus={({ currentTarget }) => currentTarget.select()} />
      </label>
      <p>Copy it now: it won’t be shown again.</p>
      <button type="button" onClick={copy}>
        Copy
      </button>
    </div>
  )
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without TLS a page has no clipboard, but may copy what is selected.
    return document.execCommand('copy')
  }
}

function KeyTable({ keys, revoked }: { keys: readonly Key[]; revoked: (key: Key) => void }) {
  const asked = useSignal<Key | undefined>(undefined)
  const close = () => {
    asked.value = undefined
  }
  async function revoke(key: Key) {
    await call('DELETE', `/v1/keys/${key.id}`)
    tell(`“${isolated(key.name)}” is revoked.`)
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse */}
      <section class="scroll" aria-label="Your keys" tabIndex={0}>
        <table aria-label="API keys">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Starts with</th>
              <th scope="col">Created</th>
              <th scope="col">Last used</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.id}>
                <th scope="row">
                  <bdi>{key.name}</bdi>
                </th>
                <td>
                  <code>{key.prefix}…</code>
                </td>
                <td class="when">{dayOf(key.created_at)}</td>
                <td class="when">{key.last_used_on === null ? 'never' : dayOf(key.last_used_on)}</td>
                <td class="row-actions">
                  <button
                    type="button"
                    class="quiet small"
                    aria-label={`Revoke ${key.name}`}
                    onClick={() => {
                      asked.value = key
                    }}
                  >
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {asked.value && <RevokeKey revoked={asked.value} act={revoke} done={revoked} onClose={close} />}
    </>
  )
}

type Revocation = {
  revoked: Key
  act: (key: Key) => Promise<void>
  done: (key: Key) => void
  onClose: () => void
}
const RevokeKey = ({ revoked, act, done, onClose }: Revocation) => (
  <Confirm
    title={`Revoke “${isolated(revoked.name)}”?`}
    label="Revoke key"
    act={() => act(revoked)}
    done={() => done(revoked)}
    onClose={onClose}
  >
    <p>Programs that use it stop working at once.</p>
  </Confirm>
)
