namespace Native.LibUsb.Streaming;

/// <summary>The slots whose transfers are in flight or have ended, in the order in which they were submitted. Used under the ring's lock.</summary>
/// <remarks>Linked through the slots: taking one out of the middle, whose data was dropped, costs what taking the first does.</remarks>
internal struct RingOrder
{
    public RingSlot? First { get; private set; }

    public RingSlot? Last { get; private set; }

    public void Append(RingSlot slot)
    {
        slot.Earlier = Last;
        slot.Later = null;
        if (Last is null)
            First = slot;
        else
            Last.Later = slot;
        Last = slot;
    }

    public void Remove(RingSlot slot)
    {
        if (slot.Earlier is null)
            First = slot.Later;
        else
            slot.Earlier.Later = slot.Later;
        if (slot.Later is null)
            Last = slot.Earlier;
        else
            slot.Later.Earlier = slot.Earlier;
        slot.Earlier = slot.Later = null;
    }
}
