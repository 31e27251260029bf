using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

// A ring owns its transfers from the time when the ring starts until all transfers are idle again. While a ring owns a transfer, the garbage collector does not
// collect the transfer, and the transfer counts as in flight even when libusb does not have it. The ring itself submits and cancels the native transfer, and
// libusb calls a callback of the ring when the transfer ends.
public sealed unsafe partial class UsbTransfer
{
    /// <summary>Gets whether there is a reason not to submit the transfer, for example because a handle or an interface is being closed.</summary>
    internal bool IsStopping => Volatile.Read(ref _stop) != 0;

    /// <summary>
    /// Makes a ring the owner of an idle transfer. Until <see cref="EndOwnership"/> is called, neither the transfer's handle nor its interface can finish
    /// closing.
    /// </summary>
    /// <param name="owner">The object that the callback gets from <see cref="OwnerOf"/>. The transfer keeps this object alive.</param>
    /// <param name="callback">The native callback.</param>
    /// <returns>False if the transfer is in use, or if it may not be submitted now, for example because its interface is closed.</returns>
    internal bool TryOwn(object owner, delegate* unmanaged<libusb_transfer*, void> callback)
    {
        if (Interlocked.CompareExchange(ref _state, InFlight, Idle) != Idle)
            return false;
        _root.Target = owner;
        _native->callback = callback;
        if (!IsStopping) // read after _state is written, because a closing thread sets _stop first, and then reads _state
            return true;
        EndOwnership();
        return false;
    }

    /// <summary>Returns the exception for a transfer that <see cref="TryOwn"/> has refused.</summary>
    internal Exception OwnershipFailure()
    {
        int stop = Volatile.Read(ref _stop);
        if ((stop & (OwnerClosing | Disposed)) == 0) // releasing an interface also makes its endpoints stale
        {
            if ((stop & Stale) != 0)
                return UsbEndpoint.StaleFailure(_endpoint);
            if ((stop & SettingChanges) != 0)
                return new InvalidOperationException("The alternate setting of the interface is being changed.");
        }

        return new ObjectDisposedException(_handle.IsOpen ? nameof(UsbInterface) : nameof(UsbDeviceHandle));
    }

    /// <summary>
    /// Ends the ring's ownership of a transfer. Before the call, the caller ensures that libusb does not have the transfer and that no thread can still cancel
    /// it.
    /// </summary>
    internal void EndOwnership()
    {
        _native->callback = &OnCompleted;
        _root.Target = null;
        Interlocked.Exchange(ref _state, Idle);
        AfterRest(releasing: Disposed);
    }

    /// <summary>Gets the owner of a native transfer that has ended.</summary>
    /// <typeparam name="T">The type of the owner. The method does not check whether the owner has this type.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T OwnerOf<T>(libusb_transfer* native)
        where T : class => Unsafe.As<T>(GCHandle.FromIntPtr((nint)native->user_data).Target!);

    /// <summary>
    /// Clears the packet results of an owned isochronous transfer if libusb may have assigned them to the wrong packets. Only a transfer that did not complete
    /// successfully needs this method.
    /// </summary>
    internal void ForgetPackets() => ForgetMixedUpPackets();

    /// <summary>Makes an owned transfer send one part of its buffer.</summary>
    internal void UsePart(int offset, int length, bool endsMessage)
    {
        Debug.Assert(offset >= 0 && length >= 0 && offset + length <= _buffer.Length);
        _native->buffer = _buffer.Pointer + offset;
        _native->length = length;
        _native->flags = (byte)(endsMessage ? UsbTransferFlags.AddZeroPacket : UsbTransferFlags.None);
    }

    /// <summary>Makes an owned isochronous transfer send packets that lie one after the other in its buffer.</summary>
    internal void UsePackets(ReadOnlySpan<int> lengths, int total)
    {
        Debug.Assert(total <= _buffer.Length && lengths.Length <= IsoPacketCapacity);
        _native->length = total;
        SetPacketLengths(lengths);
    }

    /// <summary>Divides the data of an owned isochronous transfer into packets of the given size. The last packet contains the remaining bytes.</summary>
    internal void UsePackets(int total, int packetSize)
    {
        int count = (total + packetSize - 1) / packetSize;
        Debug.Assert(total > 0 && total <= _buffer.Length && count <= IsoPacketCapacity);
        _native->length = total;
        SetPacketLengths(packetSize, count);
        _native->iso_packet_desc[count - 1].length = (uint)(total - ((count - 1) * packetSize));
        KeepIsoPacketLengths();
    }

    /// <summary>
    /// Restores the packet lengths of an owned isochronous transfer. On Windows, libusb overwrites the lengths of a transfer in flight, so the ring restores
    /// the lengths before each submission.
    /// </summary>
    internal void RestorePackets() => RestoreIsoPacketLengths();
}
