/** Why this browser cannot show messages; null where it can. */
export function pushTrouble(): 'unsupported' | 'refused' | null {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'unsupported';
  return Notification.permission === 'denied' ? 'refused' : null;
}

function bytesOf(key: string): Uint8Array<ArrayBuffer> {
  const raw = atob(key.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(raw.length);
  for (let index = 0; index < raw.length; index += 1) bytes[index] = raw.charCodeAt(index);
  return bytes;
}

/** Asks the person, then the browser. Null where the person says no. */
export async function subscribe(key: string): Promise<PushSubscriptionJSON | null> {
  if ((await Notification.requestPermission()) !== 'granted') return null;
  await navigator.serviceWorker.register('/push-worker.js', { scope: '/' });
  const worker = await navigator.serviceWorker.ready;
  // One that was made with another key takes nothing of ours.
  await (await worker.pushManager.getSubscription())?.unsubscribe();
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  return made.toJSON();
}
