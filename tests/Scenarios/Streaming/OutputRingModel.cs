using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Represents a simple model of a bulk <see cref="UsbOutputRing"/>. The model uses lists and no threads.</summary>
internal sealed class OutputRingModel(int transfers, int spares, bool clearsHalts)
{
    // The lists _sent and _waiting contain the data that the device has not received, in the order in which the program wrote the data. The ring has submitted
    // the entries of _sent, but not yet the entries of _waiting. When the ring stops, it cancels the entries that are not complete. These entries stay in
    // _sent, but are no longer in flight.
    private readonly List<Entry> _sent = [];
    private readonly List<Entry> _waiting = [];
    private int _free = transfers + spares;

    public bool Running { get; private set; }

    public UsbError Failure { get; private set; }

    public long Completions { get; private set; }

    public long Bytes { get; private set; }

    public long Recoveries { get; private set; }

    public int InFlight => _sent.Count(entry => entry.InFlight);

    public long Unsent => _sent.Concat(_waiting).Sum(entry => entry.Length - entry.Sent);

    public Entry First => _sent[0];

    public void Start()
    {
        Running = true;
        Failure = UsbError.Success;
        foreach (Entry entry in _sent)
            entry.InFlight = true; // transfers that were cut short come first
        Send();
    }

    /// <summary>Stops the ring, cancels the transfers in flight, and keeps their unsent data.</summary>
    public void Stop(UsbError failure = UsbError.Success)
    {
        Running = false;
        Failure = failure;
        foreach (Entry entry in _sent.Where(entry => entry.InFlight))
        {
            entry.InFlight = false;
            Completions++;
        }

        _free += _sent.RemoveAll(entry => entry.IsTaken);
    }

    /// <summary>Takes a free buffer for the program.</summary>
    /// <returns>False if the ring is not running or if no buffer is free.</returns>
    public bool Acquire()
    {
        if (!Running || _free == 0)
            return false;
        _free--;
        return true;
    }

    /// <summary>Gives the ring a buffer that the program has acquired.</summary>
    /// <param name="entry">The data to send. If the buffer has no data, this parameter is null.</param>
    public void Return(Entry? entry)
    {
        if (entry is null)
            _free++;
        else
            _waiting.Add(entry);
        Send();
    }

    /// <summary>Completes the transfer that was submitted first.</summary>
    public void CompleteFirst(int length, UsbTransferStatus status)
    {
        Entry entry = First;
        entry.InFlight = false;
        entry.Sent += length;
        Bytes += length;
        Completions++;
        if (status == UsbTransferStatus.Completed)
        {
            _sent.RemoveAt(0);
            _free++;
            Send();
        }
        else
        {
            Stop(status == UsbTransferStatus.Stall ? UsbError.Pipe : UsbError.IO);
            if (status == UsbTransferStatus.Stall && clearsHalts)
            {
                Recoveries++;
                Start();
            }
        }
    }

    private void Send()
    {
        while (Running && InFlight < transfers && _waiting.Count > 0)
        {
            _waiting[0].InFlight = true;
            _sent.Add(_waiting[0]);
            _waiting.RemoveAt(0);
        }
    }

    /// <summary>Represents the data of one buffer.</summary>
    internal sealed class Entry(int length, bool endsMessage)
    {
        public int Length { get; } = length;

        public bool EndsMessage { get; } = endsMessage;

        public int Sent { get; set; }

        public bool InFlight { get; set; }

        /// <summary>Gets whether the device has received all data although the transfer did not complete.</summary>
        public bool IsTaken => Length > 0 && Sent == Length && !EndsMessage;
    }
}
