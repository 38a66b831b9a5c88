// The parts of the API's answers that the console reads.

export type Movie = {
  id: number
  title: string
  year: number
  /** Imported movies may lack it. */
  runtime?: string
  genres: string[]
  director?: string
  cast?: string[]
  release_date?: string
  synopsis?: string
  poster?: string
  imdb_id?: string
  external_id?: string
  created_by: { id: number; name: string }
  version: number
  favourite?: boolean
}

export type Metadata = { current_page: number; page_size: number; last_page: number; total_records: number }
export type MoviePage = { movies: Movie[]; metadata: Metadata }
export type Genres = { genres: { name: string; movies: number }[] }

export type Permission = 'movies:read' | 'movies:write' | 'admin'
export type User = {
  id: number
  name: string
  email: string
  username?: string
  pending_email?: string
  activated: boolean
  created_at: string
  permissions: Permission[]
}
export type Token = { token: string; expiry: string }
export type Key = {
  id: number
  name: string
  prefix: string
  created_at: string
  last_used_on: string | null
  key?: string
}
export type Fields = Record<string, string>
