import { notifications } from '@mantine/notifications';
import { IconAlertCircle, IconCheck } from './icons';

/** A short word on what was done, for a few seconds. What needs an answer is said where it happened. */
export const notifyDone = (message: string) =>
  notifications.show({ message, icon: <IconCheck size={16} aria-hidden />, autoClose: 5000, withBorder: true });

export const notifyProblem = (message: string) =>
  notifications.show({
    message,
    color: 'var(--sb-failed)',
    icon: <IconAlertCircle size={16} aria-hidden />,
    autoClose: 10_000,
    withBorder: true,
    role: 'alert',
  });
