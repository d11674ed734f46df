// A page whose code is loaded when it is first shown. After an upgrade of the server the old code is gone: then the page
// is to be loaded anew.
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { away } from '../state/api.ts'
import { Loading, ProblemNote } from './states.tsx'

export const loadedPage = <P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> => {
  let known: ComponentType<P> | null = null
  return props => {
    const [page, setPage] = useState<{ of: ComponentType<P> | null }>({ of: known })
    const [hasFailed, setFailed] = useState(false)
    useEffect(() => {
      if (page.of) return
      load().then(
        found => {
          known = found
          setPage({ of: found })
        },
        () => setFailed(true),
      )
    }, [])
    if (hasFailed) return <ProblemNote problem={away()} again={() => location.reload()} />
    const Page = page.of
    return Page ? <Page {...props} /> : <Loading />
  }
}
