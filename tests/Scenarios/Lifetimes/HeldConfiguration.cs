using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Configures a transfer until the test disposes the object. The library configures a transfer for moments only, and runs no code of the program
/// that could prolong such a moment.
/// </summary>
internal sealed class HeldConfiguration : IDisposable
{
    private readonly UsbTransfer _transfer;

    public HeldConfiguration(UsbTransfer transfer)
    {
        _transfer = transfer;
        Assert.True(TryBeginSetting(transfer, ignored: 0));
    }

    public void Dispose() => EndSetting(_transfer);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern bool TryBeginSetting(UsbTransfer transfer, int ignored);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void EndSetting(UsbTransfer transfer);
}
