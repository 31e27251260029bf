using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Drivers.Audio;

/// <summary>Represents the output of an audio device with a fixed sample rate. Only one thread at a time may write.</summary>
public sealed class AudioOutput : IAsyncDisposable
{
    private const int PacketsPerTransfer = 8;

    private readonly UsbDeviceHandle _handle;
    private readonly UsbOutputRing _sound;
    private readonly PacketClock _clock;
    private readonly int[] _lengths = new int[PacketsPerTransfer];
    private UsbOutputBuffer _buffer;
    private bool _hasBuffer;
    private int _packet, _filled, _left; // the index of the current packet, the buffer's bytes in use, and the bytes that the packet still needs

    private AudioOutput(UsbDeviceHandle handle, UsbInterfaceDescriptor setting, int sampleRate, int frameSize)
    {
        _handle = handle;
        FrameSize = frameSize;
        UsbInterface claimed = handle.ClaimInterface(setting.InterfaceNumber);
        claimed.SetAlternateSetting(setting.Number);
        UsbEndpoint output = claimed.GetEndpoint(UsbDirection.Out, UsbTransferType.Isochronous);
        int most = output.Descriptor.BytesPerInterval / frameSize;
        if (sampleRate * output.Descriptor.ServiceInterval.TotalSeconds > most)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, $"A packet of the device has room for {most} frames, which is too little for this rate.");
        _clock = new PacketClock(sampleRate, output.Descriptor.ServiceInterval, most);

        if (claimed.Endpoints.FirstOrDefault(one => one is { Direction: UsbDirection.In, TransferType: UsbTransferType.Isochronous }) is { } feedback)
        {
            UsbInputRing reports = feedback.CreateInputRing(new UsbRingOptions { PacketsPerTransfer = 1, Transfers = 4 }); // disposed with the handle
            reports.Start(buffer =>
            {
                foreach (var (status, report) in buffer.Packets)
                {
                    if (status == UsbTransferStatus.Completed && !report.IsEmpty)
                        _clock.Report(report);
                }
            });
        }

        // A feedback report of the device does not change the packets that are already queued. The queue is short, so the output adapts quickly to the rate of
        // the device.
        _sound = output.CreateOutputRing(new UsbRingOptions { PacketsPerTransfer = PacketsPerTransfer, Transfers = 4, Spares = 1 });
        _sound.Start();
    }

    /// <summary>Gets the size of a frame in bytes. A frame contains one sample of each channel.</summary>
    public int FrameSize { get; }

    /// <summary>Gets the number of feedback reports that were used, or 0 if the device has no feedback endpoint.</summary>
    public long Reports => _clock.Reports;

    /// <summary>Opens the first audio output of a device.</summary>
    /// <param name="device">The device. It needs an isochronous OUT endpoint.</param>
    /// <param name="sampleRate">The sample rate of the device, in frames per second.</param>
    /// <param name="frameSize">The size of a frame in bytes. For two channels of 16 bits, the size is 4.</param>
    /// <exception cref="ArgumentOutOfRangeException">The device's packets are too small for the sample rate.</exception>
    /// <exception cref="InvalidDataException">The device has no isochronous OUT endpoint.</exception>
    /// <exception cref="UsbException">The device cannot be opened.</exception>
    public static AudioOutput Open(UsbDevice device, int sampleRate, int frameSize = 4)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameSize);
        UsbInterfaceDescriptor setting = device.GetActiveConfigurationDescriptor().Interfaces.SelectMany(settings => settings.AlternateSettings)
            .FirstOrDefault(one => one.Endpoints.Any(endpoint => endpoint is { Direction: UsbDirection.Out, TransferType: UsbTransferType.Isochronous }))
            ?? throw new InvalidDataException($"Device {device} has no isochronous endpoint to play on.");
        UsbDeviceHandle handle = device.Open();
        try
        {
            handle.TrySetAutoDetachKernelDriver(true); // fails only on Windows, where no kernel driver holds the interface
            return new AudioOutput(handle, setting, sampleRate, frameSize);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Plays sound. The task completes when all of the sound has been queued.</summary>
    /// <param name="sound">The sound, in whole frames.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <exception cref="ArgumentException">The sound does not end with a whole frame.</exception>
    /// <exception cref="UsbException">The device has been unplugged.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> sound, CancellationToken cancellationToken = default)
    {
        if (sound.Length % FrameSize != 0)
            throw new ArgumentException($"{sound.Length} bytes are no whole frames of {FrameSize} bytes.", nameof(sound));
        while (!sound.IsEmpty)
        {
            if (!_hasBuffer)
            {
                _buffer = await _sound.AcquireAsync(cancellationToken).ConfigureAwait(false);
                _hasBuffer = true;
                StartPacket();
            }

            int part = Math.Min(sound.Length, _left);
            sound.Span[..part].CopyTo(_buffer.Span[_filled..]);
            sound = sound[part..];
            _filled += part;
            _left -= part;
            _lengths[_packet] += part;
            if (_left > 0)
                continue;
            if (++_packet == _lengths.Length)
                Commit();
            else
                StartPacket();
        }
    }

    /// <summary>Sends the sound that has not been sent yet. The task completes when the device has received all of the sound.</summary>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <exception cref="UsbException">The device has been unplugged.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_hasBuffer && _filled > 0)
        {
            _packet += _lengths[Math.Min(_packet, _lengths.Length - 1)] > 0 && _left > 0 ? 1 : 0;
            Commit();
        }

        await _sound.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the device. Sound that has not been flushed is lost.</summary>
    /// <returns>A task that completes when the device is closed.</returns>
    public ValueTask DisposeAsync() => _handle.DisposeAsync();

    private void StartPacket()
    {
        _left = _clock.Next() * FrameSize;
        _lengths[_packet] = 0;
    }

    private void Commit()
    {
        _buffer.Commit(_lengths.AsSpan(0, _packet));
        (_hasBuffer, _packet, _filled, _left) = (false, 0, 0, 0);
    }
}
