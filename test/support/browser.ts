// A real Chromium for tests: Debian's, driven over its debugging pipe, with names that all lead to this machine.
import { type Browser, chromium } from 'playwright-core'

/** @param names host names that the browser takes for 127.0.0.1, as a rebound DNS answer would make it */
export const launchBrowser = (names: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      // the tests may run as root, where Chromium has no sandbox
      '--no-sandbox',
      // the browser's own guard of this machine would answer before the server could
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights',
      ...(names.length > 0
        ? [`--host-resolver-rules=${names.map(name => `MAP ${name} 127.0.0.1`).join(',')}`]
        : []),
    ],
  })
