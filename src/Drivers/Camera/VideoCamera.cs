using System.Runtime.CompilerServices;
using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Drivers.Camera;

/// <summary>Represents a camera of the USB video class that sends its pictures on an isochronous endpoint.</summary>
public sealed class VideoCamera : IAsyncDisposable
{
    private const byte VideoClass = 0x0e, StreamingSubclass = 0x02;
    private const byte SetCurrent = 0x01, GetCurrent = 0x81;
    private const ushort Probe = 0x0100, Commit = 0x0200;
    private const uint MostFrameSize = 64 << 20; // a larger size is taken as an error of the camera

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly UsbDeviceHandle _handle;
    private readonly UsbInterface _streaming;
    private FrameAssembler? _assembler;

    private VideoCamera(UsbDeviceHandle handle, int interfaceNumber)
    {
        _handle = handle;
        _streaming = handle.ClaimInterface(interfaceNumber);
    }

    /// <summary>Gets the filter that finds cameras of this class.</summary>
    public static UsbDeviceFilter Filter { get; } = new() { InterfaceClass = VideoClass, InterfaceSubClass = StreamingSubclass };

    /// <summary>Gets the number of incomplete pictures that the current stream has dropped.</summary>
    public long DroppedFrames => _assembler?.Dropped ?? 0;

    /// <summary>Opens a camera.</summary>
    /// <param name="device">The device. It needs an interface for video streaming.</param>
    /// <exception cref="InvalidDataException">The device has no interface for video streaming.</exception>
    /// <exception cref="UsbException">The device cannot be opened.</exception>
    public static VideoCamera Open(UsbDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        UsbInterfaceDescriptor streaming = device.GetActiveConfigurationDescriptor().Interfaces.Select(settings => settings.AlternateSettings[0])
            .FirstOrDefault(setting => setting is { Class: VideoClass, SubClass: StreamingSubclass })
            ?? throw new InvalidDataException($"Device {device} has no interface for video streaming.");
        UsbDeviceHandle handle = device.Open();
        try
        {
            handle.TrySetAutoDetachKernelDriver(true); // fails only on Windows, where no kernel driver holds the interface
            return new VideoCamera(handle, streaming.InterfaceNumber);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Negotiates a format and reads pictures until the token is cancelled.</summary>
    /// <param name="format">The number of the format, from the camera's descriptors.</param>
    /// <param name="frame">The number of the picture size, from the camera's descriptors.</param>
    /// <param name="framesPerSecond">The requested number of pictures per second.</param>
    /// <param name="isUncompressed">Whether the format is uncompressed. If it is, each picture must have exactly the negotiated size.</param>
    /// <param name="cancellationToken">A token that ends the stream.</param>
    /// <returns>The complete pictures, in order.</returns>
    /// <exception cref="InvalidDataException">The camera's answer is not usable.</exception>
    /// <exception cref="UsbException">The camera has been unplugged, has refused the format, or has not answered in time.</exception>
    public async IAsyncEnumerable<CameraFrame> ReadFramesAsync(
        byte format, byte frame, int framesPerSecond, bool isUncompressed, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(framesPerSecond);
        StreamParameters agreed = await NegotiateAsync(new StreamParameters(format, frame, (uint)(10_000_000 / framesPerSecond)), cancellationToken).ConfigureAwait(false);
        await _streaming.SetAlternateSettingAsync(ChooseSetting(agreed.PayloadSize)).ConfigureAwait(false);
        try
        {
            var assembler = new FrameAssembler((int)agreed.FrameSize, isUncompressed);
            _assembler = assembler;
            List<CameraFrame> complete = [];
            long next = 0;
            await using UsbInputRing ring = _streaming.GetEndpoint(UsbDirection.In, UsbTransferType.Isochronous)
                .CreateInputRing(new UsbRingOptions { PacketsPerTransfer = 32, Transfers = 8 });
            ring.Start();
            await foreach (UsbInputBuffer buffer in ring.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if (buffer.FirstPacket != next)
                    assembler.TakeLoss(); // the program was too slow, or a transfer failed
                next = buffer.FirstPacket + buffer.PacketCount;
                foreach (var (status, payload) in buffer.Packets)
                    assembler.Take(status, payload, complete);
                foreach (CameraFrame picture in complete)
                    yield return picture;
                complete.Clear();
            }
        }
        finally
        {
            await _streaming.TrySetAlternateSettingAsync(0).ConfigureAwait(false); // releases the bandwidth
        }
    }

    /// <summary>Closes the camera.</summary>
    /// <returns>A task that completes when the device is closed.</returns>
    public ValueTask DisposeAsync() => _handle.DisposeAsync();

    private async ValueTask<StreamParameters> NegotiateAsync(StreamParameters wanted, CancellationToken cancellationToken)
    {
        byte[] answer = new byte[StreamParameters.Size];
        await _streaming.ControlWriteAsync(UsbRequestKind.Class, SetCurrent, Probe, wanted.Write(), timeout: s_patience, cancellationToken: cancellationToken).ConfigureAwait(false);
        int length = await _streaming.ControlReadAsync(UsbRequestKind.Class, GetCurrent, Probe, answer, timeout: s_patience, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        var offered = StreamParameters.Parse(answer.AsSpan(0, length));
        if ((offered.Format, offered.Frame) != (wanted.Format, wanted.Frame))
            throw new InvalidDataException($"The camera offers format {offered.Format}, size {offered.Frame} instead of format {wanted.Format}, size {wanted.Frame}.");
        if (offered.FrameSize is 0 or > MostFrameSize)
            throw new InvalidDataException($"The camera reports pictures of up to {offered.FrameSize} bytes.");
        await _streaming.ControlWriteAsync(UsbRequestKind.Class, SetCurrent, Commit, answer.AsMemory(0, length), timeout: s_patience, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return offered;
    }

    /// <summary>Returns the alternate setting with the smallest packets into which the payload fits.</summary>
    private int ChooseSetting(uint payloadSize)
    {
        UsbInterfaceDescriptor? best = null;
        int bestSize = int.MaxValue, most = 0;
        foreach (UsbInterfaceDescriptor setting in _streaming.AlternateSettings)
        {
            UsbEndpointDescriptor? endpoint = setting.Endpoints.FirstOrDefault(one => one is { Direction: UsbDirection.In, TransferType: UsbTransferType.Isochronous });
            if (endpoint is null)
                continue;
            most = Math.Max(most, endpoint.BytesPerInterval);
            if (endpoint.BytesPerInterval >= payloadSize && endpoint.BytesPerInterval < bestSize)
                (best, bestSize) = (setting, endpoint.BytesPerInterval);
        }

        return best?.Number
            ?? throw new InvalidDataException($"The camera wants payloads of {payloadSize} bytes, and its largest alternate setting has {most}.");
    }
}
