import { useEffect, useRef } from 'preact/hooks';
import type { Notification } from '../state/notifications.ts';
import { useWords } from './words.ts';

interface Properties {
  readonly notification: Notification;
  /** Of an order. */
  readonly updates: number | undefined;
  readonly onClose: () => void;
}

/** All of one notification, each member as it came. */
export function Details({ notification, updates, onClose }: Properties) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const members = Object.entries(notification.payload as object);
  return (
    <dialog
      ref={dialog}
      class="details"
      aria-labelledby="details-title"
      data-testid="details"
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && event.currentTarget.close()}
    >
      <div class="details-body">
        <header class="pane-head">
          <h2 id="details-title">{words.events[notification.event] ?? notification.event}</h2>
          <button type="button" onClick={() => dialog.current!.close()}>
            {words.close}
          </button>
        </header>
        <dl>
          <dt>{words.details.timestamp}</dt>
          <dd>{notification.timestamp}</dd>
          <dt>{words.details.position}</dt>
          <dd>{notification.id}</dd>
          {updates !== undefined && (
            <>
              <dt>{words.details.updates}</dt>
              <dd>{updates}</dd>
            </>
          )}
          {members.map(([name, value]) => (
            <>
              <dt key={name}>{name}</dt>
              <dd>
                {typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : JSON.stringify(value)}
              </dd>
            </>
          ))}
        </dl>
        <h3>{words.details.raw}</h3>
        <pre tabIndex={0}>{notification.raw}</pre>
      </div>
    </dialog>
  );
}
