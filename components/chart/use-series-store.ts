'use client';
import { createContext, useContext, useEffect, useState } from 'react';
import { getLive } from '../live-socket';
import { readSeries } from './read-series';
import { SeriesStore } from './series-store';

/** How stored series are read; a page for readers without an account has its own way. */
export const SeriesReader = createContext<typeof readSeries>(readSeries);

/** The series of a page's charts, over the page's live connection. */
export function useSeriesStore(): SeriesStore {
  const read = useContext(SeriesReader);
  const [store] = useState(
    () =>
      new SeriesStore({
        read: (request, signal) => read(request, signal),
        watch: (runId, watcher) => getLive().watch({ kind: 'run', runId }, watcher),
      }),
  );
  useEffect(() => {
    const { socket } = getLive();
    const onRecords = store.addRecords.bind(store);
    const onRewound = store.rewind.bind(store);
    store.open();
    socket.on('run:records', onRecords);
    socket.on('run:rewound', onRewound);
    return () => {
      socket.off('run:records', onRecords);
      socket.off('run:rewound', onRewound);
      store.dispose();
    };
  }, [store]);
  return store;
}
