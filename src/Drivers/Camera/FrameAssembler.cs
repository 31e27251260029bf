using Native.LibUsb;

namespace Drivers.Camera;

/// <summary>
/// Assembles pictures from payloads. If a payload has the end flag, it is the last payload of its picture. A picture also ends when the frame bit changes. If a
/// payload of a picture is missing, invalid or too long, the assembler drops the whole picture. The caller therefore receives only complete pictures.
/// </summary>
/// <param name="size">The size of a picture in bytes. For uncompressed formats, this is the exact size. For other formats, it is the maximum size.</param>
/// <param name="isExact">Whether each picture has exactly this size.</param>
internal sealed class FrameAssembler(int size, bool isExact)
{
    private byte[] _data = new byte[size];
    private int _length;
    private bool _started, _broken, _gap, _synchronized, _frameId, _ended;

    /// <summary>Gets the number of pictures that have ended, including dropped ones.</summary>
    public long Frames { get; private set; }

    /// <summary>Gets the number of pictures that were dropped.</summary>
    public long Dropped { get; private set; }

    /// <summary>Processes the payload of one service interval.</summary>
    /// <param name="status">The status of the packet.</param>
    /// <param name="payload">The bytes of the packet.</param>
    /// <param name="frames">Receives the pictures that this payload completes. A payload completes at most two pictures.</param>
    public void Take(UsbTransferStatus status, ReadOnlySpan<byte> payload, List<CameraFrame> frames)
    {
        if (status == UsbTransferStatus.Completed && payload.IsEmpty)
            return; // the camera had nothing to send
        if (status != UsbTransferStatus.Completed || !PayloadHeader.TryParse(payload, out PayloadHeader header))
        {
            TakeLoss();
            return;
        }

        if (!_started || header.FrameId != _frameId)
        {
            _broken |= _gap;
            if (_started && !_ended)
                End(frames);
            _synchronized |= _started; // the first picture is skipped, because it may have begun before the stream was opened
            (_started, _ended, _frameId, _length) = (true, false, header.FrameId, 0);
            _broken = false; // a gap before this payload breaks this picture too: see below
        }

        _broken |= _gap;
        _gap = false;
        if (_ended)
            return; // payloads without data may follow the end of a picture
        ReadOnlySpan<byte> data = payload[header.Length..];
        _broken |= header.HasError || data.Length > _data.Length - _length;
        if (!_broken)
        {
            data.CopyTo(_data.AsSpan(_length));
            _length += data.Length;
        }

        if (header.EndsFrame)
            End(frames);
    }

    /// <summary>Records that data is missing at this point of the stream.</summary>
    public void TakeLoss() => _gap = true;

    private void End(List<CameraFrame> frames)
    {
        _ended = true;
        if (_synchronized)
        {
            long number = Frames++;
            if (_broken || (isExact && _length != size))
            {
                Dropped++;
            }
            else
            {
                frames.Add(new CameraFrame(number, _data.AsMemory(0, _length)));
                _data = new byte[size];
            }
        }

        _broken = false;
    }
}
