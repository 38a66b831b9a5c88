import { pathname, to } from '../router'
import { Audit } from './audit'
import { Figures } from './figures'
import { AllMovies } from './movies'
import { OneUser } from './user'
import { Users } from './users'

const LINKS = { users: 'Users', movies: 'Movies', audit: 'Audit trail', figures: 'Figures' }

export function OperatorPages() {
  const [, , part = '', id] = pathname().split('/')
  return (
    <>
      <nav class="operator" aria-label="Operator">
        {Object.entries(LINKS).map(([name, text]) => (
          <a key={name} href={to(`/admin/${name}`)} aria-current={part === name ? 'page' : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <Page part={part} id={id} />
    </>
  )
}

function Page({ part, id }: { part: string; id: string | undefined }) {
  if (part === 'users') return id === undefined ? <Users /> : <OneUser id={id} />
  if (part === 'movies') return <AllMovies />
  return part === 'audit' ? <Audit /> : <Figures />
}
