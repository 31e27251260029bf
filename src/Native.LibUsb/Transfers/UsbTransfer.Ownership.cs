using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// A ring owns its transfers from its start until it is at rest: they are rooted once, count as in flight whether libusb has them or not, and complete
// through a callback of the ring's own. The ring submits and cancels the native transfer itself.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>Gets whether the transfer must not be submitted, because its handle or interface closes.</summary>
    internal bool IsStopping => Volatile.Read(ref _stop) != 0;

    /// <summary>Takes the transfer, which is at rest. A closing handle or interface waits for it until <see cref="EndOwnership"/>.</summary>
    /// <param name="owner">The object that the callback finds with <see cref="OwnerOf"/>. It is kept alive.</param>
    /// <param name="callback">The native callback.</param>
    /// <returns>False if the transfer, its interface or its handle is closing.</returns>
    internal bool TryOwn(object owner, delegate* unmanaged<libusb_transfer*, void> callback)
    {
        if (Interlocked.CompareExchange(ref _state, InFlight, Idle) != Idle)
            return false;
        _root.Target = owner;
        _native->callback = callback;
        if (!IsStopping) // after the state was written: the thread that closes first sets _stop, and then looks at the state
            return true;
        EndOwnership();
        return false;
    }

    /// <summary>Returns the exception for a transfer that <see cref="TryOwn"/> has refused.</summary>
    internal Exception OwnershipFailure()
    {
        int stop = Volatile.Read(ref _stop);
        if ((stop & Stale) != 0)
            return UsbEndpoint.StaleFailure(Endpoint);
        return (stop & SettingChanges) != 0
            ? new InvalidOperationException("The alternate setting of the interface is being changed.")
            : new ObjectDisposedException(_handle.IsOpen ? nameof(UsbInterface) : nameof(UsbDeviceHandle));
    }

    /// <summary>Gives the transfer back. It is at rest, and no thread cancels it any more.</summary>
    internal void EndOwnership()
    {
        _native->callback = &OnCompleted;
        _root.Target = null;
        Interlocked.Exchange(ref _state, Idle);
        AfterRest(releasing: Disposed);
    }

    /// <summary>Gets the owner of a native transfer that completes.</summary>
    /// <typeparam name="T">The type of the owner, which is not checked.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T OwnerOf<T>(libusb_transfer* native)
        where T : class => Unsafe.As<T>(GCHandle.FromIntPtr((nint)native->user_data).Target!);

    /// <summary>Reports no packet where libusb mixes packets up. For an owned isochronous transfer that ended with another status than completed.</summary>
    internal void ForgetPackets() => ForgetMixedUpPackets();

    /// <summary>Makes an owned transfer send a part of its buffer.</summary>
    internal void UsePart(int offset, int length, bool endsMessage)
    {
        Debug.Assert(offset >= 0 && length >= 0 && offset + length <= _buffer.Length);
        _native->buffer = _buffer.Pointer + offset;
        _native->length = length;
        _native->flags = (byte)(endsMessage ? UsbTransferFlags.AddZeroPacket : UsbTransferFlags.None);
    }

    /// <summary>Makes an owned isochronous transfer send packets, which lie one after the other in its buffer.</summary>
    internal void UsePackets(ReadOnlySpan<int> lengths, int total)
    {
        Debug.Assert(total <= _buffer.Length && lengths.Length <= IsoPacketCapacity);
        _native->length = total;
        SetPacketLengths(lengths);
    }

    /// <summary>Makes an owned isochronous transfer send packets of one size, the last of which has the rest.</summary>
    internal void UsePackets(int total, int packetSize)
    {
        int count = (total + packetSize - 1) / packetSize;
        Debug.Assert(total > 0 && total <= _buffer.Length && count <= IsoPacketCapacity);
        _native->length = total;
        SetPacketLengths(packetSize, count);
        _native->iso_packet_desc[count - 1].length = (uint)(total - ((count - 1) * packetSize));
        KeepIsoPacketLengths();
    }

    /// <summary>Restores the lengths before each submission of an owned isochronous transfer on Windows, where libusb overwrites them.</summary>
    internal void RestorePackets() => RestoreIsoPacketLengths();
}
