using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Represents what a bulk <see cref="UsbOutputRing"/> must do, said again in the simplest way: lists, and no threads.</summary>
internal sealed class OutputRingModel(int transfers, int spares, bool clearsHalts)
{
    // Handed over and not yet taken by the device, oldest first: those in flight or cut short, and then those that wait.
    private readonly List<Entry> _sent = [];
    private readonly List<Entry> _waiting = [];
    private int _free = transfers + spares;

    public bool Running { get; private set; }

    public UsbError Failure { get; private set; }

    public long Completions { get; private set; }

    public long Bytes { get; private set; }

    public long Recoveries { get; private set; }

    public int Armed => _sent.Count(entry => entry.InFlight);

    public long Unsent => _sent.Concat(_waiting).Sum(entry => entry.Length - entry.Sent);

    public Entry First => _sent[0];

    public void Start()
    {
        Running = true;
        Failure = UsbError.Success;
        foreach (Entry entry in _sent)
            entry.InFlight = true; // what was cut short, first
        Send();
    }

    /// <summary>The ring stops: what is in flight is cancelled, and kept.</summary>
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

    /// <summary>Returns a buffer for the program.</summary>
    public bool Acquire()
    {
        if (!Running || _free == 0)
            return false;
        _free--;
        return true;
    }

    /// <summary>The program gives a buffer back, with something to send or without.</summary>
    public void Return(Entry? entry)
    {
        if (entry is null)
            _free++;
        else
            _waiting.Add(entry);
        Send();
    }

    /// <summary>The device ends the transfer that was submitted first.</summary>
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
        while (Running && Armed < transfers && _waiting.Count > 0)
        {
            _waiting[0].InFlight = true;
            _sent.Add(_waiting[0]);
            _waiting.RemoveAt(0);
        }
    }

    /// <summary>Represents one buffer's worth of data.</summary>
    internal sealed class Entry(int length, bool endsMessage)
    {
        public int Length { get; } = length;

        public bool EndsMessage { get; } = endsMessage;

        public int Sent { get; set; }

        public bool InFlight { get; set; }

        /// <summary>Gets whether nothing is left to send although the transfer did not complete.</summary>
        public bool IsTaken => Length > 0 && Sent == Length && !EndsMessage;
    }
}
