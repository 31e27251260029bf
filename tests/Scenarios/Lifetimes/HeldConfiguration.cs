using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Configures a transfer for as long as the test wants. The library does so for moments only, and runs no code of the program in the meantime that could prolong one.
/// </summary>
internal sealed class HeldConfiguration : IDisposable
{
    private readonly UsbTransfer _transfer;

    public HeldConfiguration(UsbTransfer transfer)
    {
        _transfer = transfer;
        Assert.True(TryBeginSetting(transfer));
    }

    public void Dispose() => EndSetting(_transfer);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern bool TryBeginSetting(UsbTransfer transfer);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void EndSetting(UsbTransfer transfer);
}
