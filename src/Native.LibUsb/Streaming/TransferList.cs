namespace Native.LibUsb.Streaming;

/// <summary>
/// Represents a list of a ring's transfers. The transfers themselves contain the links, so adding and removing a transfer take constant time. A transfer is in
/// at most one list. The caller of any member holds the ring's lock.
/// </summary>
/// <param name="all">The transfers of the ring.</param>
internal struct TransferList(RingTransfer[] all)
{
    private const int None = -1;

    private int _first = None;
    private int _last = None;

    /// <summary>Gets the number of transfers in the list.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the oldest transfer; null if the list is empty.</summary>
    public readonly RingTransfer? First => At(_first);

    /// <summary>Gets the newest transfer; null if the list is empty.</summary>
    public readonly RingTransfer? Last => At(_last);

    /// <summary>Returns the next newer transfer of the list; null if there is none.</summary>
    public readonly RingTransfer? After(RingTransfer transfer) => At(transfer.Later);

    public void Append(RingTransfer transfer)
    {
        transfer.Earlier = _last;
        transfer.Later = None;
        if (_last == None)
            _first = transfer.Index;
        else
            all[_last].Later = transfer.Index;
        _last = transfer.Index;
        Count++;
    }

    public void Prepend(RingTransfer transfer)
    {
        transfer.Earlier = None;
        transfer.Later = _first;
        if (_first == None)
            _last = transfer.Index;
        else
            all[_first].Earlier = transfer.Index;
        _first = transfer.Index;
        Count++;
    }

    public void Remove(RingTransfer transfer)
    {
        if (transfer.Earlier == None)
            _first = transfer.Later;
        else
            all[transfer.Earlier].Later = transfer.Later;
        if (transfer.Later == None)
            _last = transfer.Earlier;
        else
            all[transfer.Later].Earlier = transfer.Earlier;
        Count--;
    }

    /// <summary>Empties the list, and leaves the transfers unchanged.</summary>
    public void Clear()
    {
        _first = _last = None;
        Count = 0;
    }

    private readonly RingTransfer? At(int index) => index == None ? null : all[index];
}
