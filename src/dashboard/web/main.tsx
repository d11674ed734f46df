// Starts the page: that of a shared task at its address, the app at every other one.
import { render } from 'preact'
import { App } from './app.tsx'
import { startKeys } from './frame/keys.ts'
import { SharedPage } from './pages/shared/shared-page.tsx'
import { sharedTokenIn } from './paths.ts'
import { startLive } from './state/live.ts'

const place = document.getElementById('app')
const token = sharedTokenIn(location.pathname)
if (place && token !== null) render(<SharedPage token={token} />, place)
else if (place) {
  startKeys()
  startLive()
  render(<App />, place)
}
