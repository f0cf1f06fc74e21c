/* Shows messages while no page is open. What comes in is a sentence and the page to open, no facts. */
'use strict';

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  let sent = {};
  try {
    sent = event.data ? event.data.json() : {};
  } catch {
    sent = {};
  }
  const title = typeof sent.title === 'string' ? sent.title : 'Signalbox';
  const shown = {
    body: typeof sent.body === 'string' ? sent.body : '',
    tag: typeof sent.tag === 'string' ? sent.tag : undefined,
    icon: '/static/favicon.svg',
    data: { path: typeof sent.path === 'string' ? sent.path : '/inbox/' },
  };
  event.waitUntil(self.registration.showNotification(title, shown));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const wanted = String(event.notification.data?.path ?? '/inbox/');
  // Pages of this site alone, whatever was sent.
  const path = wanted.startsWith('/') && !wanted.startsWith('//') ? wanted : '/inbox/';
  event.waitUntil(
    self.clients.matchAll({ type: 'window', includeUncontrolled: true }).then((pages) => {
      const open = pages.find((page) => new URL(page.url).pathname === path);
      return open ? open.focus() : self.clients.openWindow(path);
    }),
  );
});
