using System.Buffers.Binary;
using Native.LibUsb.Testing;

namespace Drivers.Tests.Devices;

/// <summary>
/// Represents a high-speed USB camera. The camera sends the packets that a test adds. After the last packet, the transfers of the host stay pending until the
/// test adds more packets.
/// </summary>
internal sealed class VirtualCamera : VirtualDevice
{
    public const byte Address = 0x81;
    public const byte Streaming = 1; // the interface

    private readonly Queue<(byte[] Payload, UrbStatus Status)> _packets = [];
    private readonly Output _output;
    private bool _frameId;

    public VirtualCamera(int frameSize, int payloadSize)
        : base(Describe())
    {
        (FrameSize, PayloadSize) = ((uint)frameSize, (uint)payloadSize);
        Add(_output = new Output(this));
    }

    public uint FrameSize { get; set; }

    public uint PayloadSize { get; set; }

    /// <summary>Gets or sets the function that changes the answer to the probe.</summary>
    public Func<byte[], byte[]>? ChangeProbe { get; set; }

    public byte[]? Probed { get; private set; }

    public byte[]? Committed { get; private set; }

    /// <summary>Sends one packet with these bytes.</summary>
    public void Send(byte[] payload, UrbStatus status = UrbStatus.Success)
    {
        lock (SyncRoot)
        {
            _packets.Enqueue((payload, status));
            _output.Pump();
        }
    }

    /// <summary>Sends a picture in several payloads, with an empty packet after each payload.</summary>
    /// <param name="picture">The bytes of the picture.</param>
    /// <param name="hasEnd">True if the last payload has the flag for the end of the picture.</param>
    /// <param name="change">A function that receives the number and the bytes of each payload, and returns the changed payload.</param>
    public void SendPicture(ReadOnlySpan<byte> picture, bool hasEnd = true, Func<int, byte[], byte[]>? change = null)
    {
        _frameId = !_frameId;
        for (int number = 0; !picture.IsEmpty; number++)
        {
            int length = Math.Min(picture.Length, (int)PayloadSize - 12);
            byte flags = (byte)(0x8c | (_frameId ? 1 : 0) | (hasEnd && length == picture.Length ? 2 : 0)); // with both time stamps
            byte[] payload = [12, flags, .. new byte[10], .. picture[..length]];
            Send(change?.Invoke(number, payload) ?? payload);
            Send([]);
            picture = picture[length..];
        }
    }

    protected override bool OnControlRequest(VirtualUrb urb)
    {
        switch (urb.Setup)
        {
            case { RequestType: 0x21, Request: 0x01, Value: 0x0100, Index: Streaming }:
                Probed = urb.Buffer.ToArray();
                urb.Accept();
                return true;
            case { RequestType: 0x21, Request: 0x01, Value: 0x0200, Index: Streaming }:
                Committed = urb.Buffer.ToArray();
                urb.Accept();
                return true;
            case { RequestType: 0xa1, Request: 0x81, Value: 0x0100, Index: Streaming } when Probed is { } probed:
                byte[] answer = (byte[])probed.Clone();
                BinaryPrimitives.WriteUInt32LittleEndian(answer.AsSpan(18), FrameSize);
                BinaryPrimitives.WriteUInt32LittleEndian(answer.AsSpan(22), PayloadSize);
                urb.CompleteWith(ChangeProbe?.Invoke(answer) ?? answer);
                return true;
            default:
                return false;
        }
    }

    private static DeviceDescription Describe() => new()
    {
        Speed = VirtualSpeed.High,
        VendorId = 0x1209,
        ProductId = 0x0021,
        Product = "Virtual camera",
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(0, new AlternateSetting { Class = 0x0e, Subclass = 1 }) { KernelDriver = "uvcvideo" },
                new InterfaceDescription(Streaming, [Setting(), Setting(256), Setting(512), Setting(1024)]) { KernelDriver = "uvcvideo" }),
        ],
    };

    private static AlternateSetting Setting(params int[] sizes) =>
        new([.. sizes.Select(size => new EndpointDescription(Address, EndpointKind.Isochronous, size) { Interval = 1 })]) { Class = 0x0e, Subclass = 2 };

    private sealed class Output(VirtualCamera camera) : VirtualEndpoint(VirtualCamera.Address)
    {
        public void Pump()
        {
            while (camera._packets.Count > 0 && First is { } urb)
            {
                int index = (int)urb.Tag++;
                (byte[] payload, UrbStatus status) = camera._packets.Dequeue();
                ref IsoPacket packet = ref urb.Packets[index];
                packet.ActualLength = Math.Min(payload.Length, packet.Length);
                packet.Status = payload.Length > packet.Length ? UrbStatus.Overflow : status;
                payload.AsSpan(0, packet.ActualLength).CopyTo(urb.PacketBuffer(index));
                if (urb.Tag == urb.PacketCount)
                    urb.Complete();
            }
        }

        protected override void OnSubmit(VirtualUrb urb) => Pump();
    }
}
