// Starts the page.
import { render } from 'preact'
import { App } from './app.tsx'
import { startKeys } from './frame/keys.ts'
import { startLive } from './state/live.ts'

const place = document.getElementById('app')
if (place) {
  startKeys()
  startLive()
  render(<App />, place)
}
